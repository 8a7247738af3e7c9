"""Debian's packages: what is installed, what can be had, and installing it."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.process import SetUpError

Say = Callable[[str], None]
LIMIT = 900
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def can_install() -> bool:
    """Whether this is root on a machine that uses apt."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def installed(package: str) -> bool:
    """Whether dpkg knows the package as installed."""
    answer = run(["dpkg-query", "-W", "-f", "${Status}", package], check=False)
    return answer.returncode == 0 and answer.stdout.endswith(" installed")


def available(package: str) -> bool:
    """Whether apt's lists hold a version of the package."""
    lines = run(["apt-cache", "policy", package], check=False).stdout.splitlines()
    return any("Candidate:" in line and "(none)" not in line for line in lines)


def install(packages: Sequence[str], optional: Sequence[str], say: Say) -> None:
    """Install what is missing; the optional ones only if this distribution has them.

    Raises:
        SetUpError: with apt's own last words.
    """
    missing = [name for name in packages if not installed(name)]
    if not missing:
        return
    say(f"installing {', '.join(missing)}")
    update()
    extra = [name for name in optional if available(name) and not installed(name)]
    options = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
    run(["apt-get", "install", *options, *missing, *extra])


def update() -> None:
    """Read the lists of the machine's own package sources again."""
    run(["apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=300"])


def run(command: Sequence[str | Path], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; a failure is a SetUpError with its last words."""
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if check and done.returncode:
        words = "\n".join((done.stdout + done.stderr).splitlines()[-10:])
        raise SetUpError(f"{command[0]} {command[1]} failed ({done.returncode}):\n{words}")
    return done


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One at a time among all processes of the machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
