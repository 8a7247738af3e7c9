"""Processes that serve one socket: each that ends is replaced, until a signal ends them all.

They are forked once all is imported, so that a second one costs no second start.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable

import structlog
from uvicorn.config import STARTUP_FAILURE

STOP = {signal.SIGTERM, signal.SIGINT}
AGAIN_SECONDS = 0.5

log = structlog.get_logger()


def keep(count: int, serve: Callable[[], None]) -> int:
    """Run `serve` in so many processes until a signal comes; returns the exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP, signal.SIGCHLD})
    lives = os.pipe()
    living = {_start(serve, lives) for _ in range(count)}
    ending, code = False, 0
    while living:
        if signal.sigwait({*STOP, signal.SIGCHLD}) in STOP:
            ending = True
            _end(living)
        for pid, status in _ended(living):
            if status == STARTUP_FAILURE and not ending:
                # It would fail the same way again.
                ending, code = True, 1
                _end(living)
            elif not ending:
                log.warning("process_ended", pid=pid, code=status)
                time.sleep(AGAIN_SECONDS)
                living.add(_start(serve, lives))
    return code


def _ended(living: set[int]) -> list[tuple[int, int]]:
    """Those that have ended, with their exit codes; no longer among the living."""
    found = []
    for pid in tuple(living):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            living.discard(pid)
            found.append((pid, os.waitstatus_to_exitcode(status)))
    return found


def _end(living: set[int]) -> None:
    for pid in living:
        os.kill(pid, signal.SIGTERM)


def _start(serve: Callable[[], None], lives: tuple[int, int]) -> int:
    """Fork a process that serves; its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {*STOP, signal.SIGCHLD})
        # Uvicorn ends as the signal would have it once all is served, which is no failure.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        os.close(lives[1])
        threading.Thread(target=_outlive, args=(lives[0],), daemon=True).start()
        serve()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - nothing may come back from here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _outlive(parent: int) -> None:
    """End with the parent, or its port would stay taken."""
    os.read(parent, 1)
    os.kill(os.getpid(), signal.SIGTERM)
