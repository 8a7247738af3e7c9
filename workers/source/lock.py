"""A lock on a file, shared by the worker processes of one machine."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from workers.ledger.model.errors import PassingError
from workers.ledger.model.guard import Watch

TICK = 0.05


@contextlib.contextmanager
def locked(path: Path, watch: Watch | None, seconds: float) -> Iterator[int]:
    """Hold the lock; gives its file descriptor, so that a child process can hold it too.

    Raises:
        PassingError: others held it for `seconds`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, path, watch, time.monotonic() + seconds)
        yield descriptor
    finally:
        # Closing frees it, unless a child that outlived its parent still works under it.
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, watch: Watch | None, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if watch:
                watch.check()
            if time.monotonic() > deadline:
                raise PassingError(f"{path.name} was held by others for too long") from None
            time.sleep(TICK)
        else:
            return
