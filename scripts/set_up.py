"""Makes .venv from the locked, hashed requirements; does nothing when that is done already.

Runs on a bare Python 3.11: the standard library only. uv installs, because it takes a tenth of
pip's time; where uv can't, pip does. Both ask the indexes that this machine's pip is told to use.
"""

import ast
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".ready"
BOOTSTRAP = ROOT / "requirements-bootstrap.lock"
LOCK = ROOT / "requirements-dev.lock"
SOURCES = (BOOTSTRAP, LOCK, ROOT / "pyproject.toml", Path(__file__).resolve())
# pip's names for what the machine decides, and uv's (docs.astral.sh/uv/reference/environment).
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}
# What web, worker, beat and the `slipway` command import when they start.
STARTED = ("service.cli", "service", "workers.tasks", "workers.process", "gunicorn.app.wsgiapp")
COMMAS = ("UV_FIND_LINKS",)
NO_VENV = """\
This Python ({python}) can't make virtual environments: Debian and Ubuntu keep that in a package.
Run as root:  apt-get install {package}"""


class SetUpError(Exception):
    """What went wrong, and what to do."""


def main() -> int:
    """Make the environment; returns the exit code."""
    try:
        with _alone():
            unless_done(STAMP, SOURCES, _make)
    except SetUpError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def unless_done(stamp: Path, sources: Sequence[Path], make: Callable[[], None]) -> None:
    """Call `make` unless `stamp`, in the environment, says that it was made from these sources."""
    parts = [sys.version, str(stamp), *(path.read_text() for path in sources)]
    wanted = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    python = stamp.parent / "bin" / "python"
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        stamp.touch()
        return
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(wanted)


def _make() -> None:
    with _step("virtual environment"):
        environment = _make_venv()
        bootstrap = ("install", "--no-compile", "--require-hashes", "-r", BOOTSTRAP)
        _pip(*bootstrap, environment=environment)
    with _step("locked requirements"):
        _install()
    with _step("byte code"):
        _compile()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One set-up at a time in this checkout."""
    folder = ROOT / ".slipway"
    folder.mkdir(exist_ok=True)
    with (folder / "set-up.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_venv() -> dict[str, str]:
    """Make it; returns the environment in which its Python has a pip.

    Unpacking pip takes most of the time, and the bundled wheel runs as it is (PEP 441).
    """
    if not importlib.util.find_spec("ensurepip"):
        _install_ensurepip()
    wheel = _bundled_pip()
    done = _run([sys.executable, "-m", "venv", "--clear", *["--without-pip"] * bool(wheel), VENV])
    if done.returncode:
        raise SetUpError(f"{sys.executable} -m venv failed:\n{_last(done)}")
    return {**os.environ, "PYTHONPATH": str(wheel)} if wheel else dict(os.environ)


def _bundled_pip() -> Path | None:
    """The wheel that ensurepip would unpack; Debian keeps it elsewhere."""
    importlib.invalidate_caches()
    spec = importlib.util.find_spec("ensurepip")
    folders = [Path(spec.origin).parent / "_bundled"] if spec and spec.origin else []
    if elsewhere := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        folders.append(Path(elsewhere))
    return next((wheel for folder in folders for wheel in folder.glob("pip-*.whl")), None)


def _install_ensurepip() -> None:
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        raise SetUpError(NO_VENV.format(python=sys.executable, package=package))
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    wait = ("-o", "DPkg::Lock::Timeout=300")
    _run([apt, "update", "-q", *wait], quiet)
    done = _run([apt, "install", "-y", "-q", "--no-install-recommends", *wait, package], quiet)
    if done.returncode:
        raise SetUpError(f"apt-get install {package} failed:\n{_last(done)}")


def _install() -> None:
    uv = (VENV / "bin" / "uv", "pip")
    environment = {**indexes(), **os.environ, "VIRTUAL_ENV": str(VENV)}
    # Editable, so that the code is not copied; setuptools is among what was just installed.
    project = ("--no-deps", "--no-build-isolation", "--no-index", "-e", ROOT)
    for arguments in (("sync", "--require-hashes", BOOTSTRAP, LOCK), ("install", *project)):
        done = _run([*uv, *arguments, "--quiet", "--python", PYTHON], environment)
        if done.returncode:
            print(f"  uv can't, so pip does it:\n{_last(done)}")
            _pip("install", "--require-hashes", "-r", LOCK)
            _pip("install", *project)
            return


def _compile() -> None:
    """Import once what the processes import: each of them would compile it for itself.

    Where PYTHONDONTWRITEBYTECODE is set, no later process leaves any, and a start takes 5 s of
    processor time instead of 2. All that is installed would take 50 s.
    """
    environment = {**os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    _run([PYTHON, "-c", f"import {', '.join(STARTED)}"], environment)


def indexes() -> dict[str, str]:
    """The machine's settings for pip, as uv takes them."""
    listed = _run([PYTHON, "-m", "pip", "config", "list"]).stdout.splitlines()
    found = {}
    # From the widest to the narrowest, which wins: files, their [install] section, environment.
    for section in ("global.", "install.", ":env:."):
        for line in listed:
            key, _, value = line.partition("=")
            name = SETTINGS.get(key.removeprefix(section)) if key.startswith(section) else None
            if name:
                words = str(ast.literal_eval(value)).split()
                found[name] = ("," if name in COMMAS else " ").join(words)
    # As pip does: the hashes, not the order of the indexes, say what is right.
    return {**found, "UV_INDEX_STRATEGY": "unsafe-best-match"}


def _pip(*arguments: str | Path, environment: dict[str, str] | None = None) -> None:
    command = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = _run(command, environment)
    if done.returncode:
        raise SetUpError(
            f"pip {arguments[0]} failed:\n{_last(done)}\n\n"
            "If the package index is not the usual one here, tell pip: PIP_INDEX_URL, PIP_CERT, …"
        )


def _run(
    command: list[str | Path], environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def _last(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join((done.stdout + done.stderr).splitlines()[-15:])


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    print(f"  ✓ {name:<22}{time.monotonic() - start:6.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
