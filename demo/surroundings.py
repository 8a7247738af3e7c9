"""The demo's process and machine: nothing real within reach, and nothing left behind."""

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".slipway"
DEMOS = CACHE / "demo"
# What would lead to somebody's real GitHub, AWS, Redis, Slack …
FOREIGN = ("AWS_", "GIT_", "GITHUB_", "SLIPWAY_", "SLACK_", "SMTP_", "SONAR_", "REDIS_", "PORT")
KEPT = ("GIT_SSL_CAINFO", "GIT_EXEC_PATH")
NOWHERE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
MARK = "failed"
HERE = "127.0.0.1,localhost"


class Stopped(BaseException):
    """Somebody asked the demo to end; its argument is the signal's number."""


def listen() -> None:
    """Turn Ctrl-C and SIGTERM into Stopped, raised in the main thread."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)


def listen_no_more() -> None:
    """Let nothing disturb the clearing up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise Stopped(number)


def isolate() -> None:
    """Forget all that leads to real services; talk to this machine without a proxy."""
    for name in list(os.environ):
        if name.startswith(FOREIGN) and name not in KEPT:
            del os.environ[name]
    os.environ.update(NOWHERE)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), HERE)))


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of this demo's own; one that is marked stays until the next demo begins."""
    DEMOS.mkdir(parents=True, exist_ok=True)
    _clear()
    path = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=DEMOS))
    with (path / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield path
        finally:
            if not (path / MARK).exists():
                shutil.rmtree(path, ignore_errors=True)


def keep(path: Path) -> None:
    """Mark a demo's folder, so that its logs can be read."""
    (path / MARK).touch()


def _clear() -> None:
    """Remove what demos left that failed or were killed."""
    for path in DEMOS.iterdir():
        with suppress(OSError), (path / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
