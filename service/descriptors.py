"""The limit of descriptors: fewer connections than come to it, and one descriptor in hand."""

import contextlib
import errno
import os
import resource
import socket
from time import monotonic

import structlog

RESERVED = 64
"""For files, Redis, and what threads open while they serve."""
LEAST_CONNECTIONS = 16
USED_UP = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
QUIET_SECONDS = 10.0

log = structlog.get_logger()


def room(wanted: int, threads: int) -> int:
    """How many connections of those that are wanted the limit of this process has room for."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A thread that serves has a connection to Redis of its own, and may follow a run with another.
    return max(LEAST_CONNECTIONS, min(wanted, most - RESERVED - 2 * threads))


class InHand:
    """A descriptor that is given up for a moment when there is none for a new connection."""

    def __init__(self) -> None:
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._told = float("-inf")

    def turn_away(self, listener: socket.socket) -> None:
        """Close the next connection unheard: left waiting, it would keep the loop busy."""
        now = monotonic()
        if now - self._told > QUIET_SECONDS:
            self._told = now
            most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            hint = "raise `ulimit -n` of the web process"
            log.warning("descriptors_used_up", limit=most, hint=hint)
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        with contextlib.suppress(OSError):
            listener.accept()[0].close()
        with contextlib.suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
