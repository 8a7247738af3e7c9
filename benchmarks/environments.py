"""A virtual environment for each competitor, made once from its hash-locked requirements."""

import functools
import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent / ".slipway" / "bench"


@functools.cache
def python(name: str) -> str:
    """The Python of one competitor's environment; an unchanged lock file is not installed twice."""
    lock = HERE / f"requirements-{name}.lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    folder = CACHE / name
    interpreter = folder / "bin" / "python"
    done = folder / "installed"
    if not (done.exists() and done.read_text() == digest):
        print(f"installing {name}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        install = [interpreter, "-m", "pip", "install", "--quiet", "--quiet", "--no-input"]
        install += ["--disable-pip-version-check", "--require-hashes", "--requirement", lock]
        subprocess.run(install, check=True)
        done.write_text(digest)
    return str(interpreter)


@functools.cache
def versions(name: str) -> dict[str, str]:
    """What is installed there."""
    listed = subprocess.run(
        [python(name), "-m", "pip", "freeze", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(line.split("==") for line in listed.stdout.splitlines() if "==" in line)
