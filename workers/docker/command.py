"""Runs a program on this machine so that nothing of it outlives its worker."""

import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from config.masker import Masker
from workers.docker.output import Lines
from workers.ledger.model.guard import Say, Watch

_READ = 64 << 10
_TICK = 0.5


def run(  # noqa: PLR0913 - a program has that many sides
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    seconds: float,
    say: Say,
    watch: Watch,
    masker: Masker | None = None,
) -> int:
    """Run a program, output going to `say`, and return its exit code.

    Its whole process group is killed when the time is over, when `watch` raises, and when this
    thread dies: the kernel binds the death signal to the thread that starts a process
    (prctl(2), PR_SET_PDEATHSIG), so the thread that starts it also waits for it.

    Raises:
        TimeoutError: it ran longer than `seconds`.
    """
    deadline = time.monotonic() + seconds
    process = subprocess.Popen(  # noqa: S603 - never a shell, arguments as a list
        [*_dies_with_us(), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        start_new_session=True,
    )
    try:
        _follow(process, Lines(say, masker or Masker()), watch, deadline)
        return process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def _follow(process: subprocess.Popen[bytes], lines: Lines, watch: Watch, deadline: float) -> None:
    """Hand on the output until the program has ended."""
    with selectors.DefaultSelector() as selector:
        if process.stdout:
            selector.register(process.stdout, selectors.EVENT_READ)
        while selector.get_map():
            _look(watch, deadline)
            ready = selector.select(_TICK)
            for key, _ in ready:
                data = os.read(key.fd, _READ)
                lines.feed(data, final=not data)
                if not data:
                    selector.unregister(key.fileobj)
            if not ready and process.poll() is not None:
                return  # the program is gone; somebody it left behind holds its output open
    # Its output ends a moment before a program does: a selector would sleep a tick through that.
    while process.poll() is None:
        _look(watch, deadline)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_TICK)


def _look(watch: Watch, deadline: float) -> None:
    watch.check()
    if time.monotonic() > deadline:
        raise TimeoutError


def _dies_with_us() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
