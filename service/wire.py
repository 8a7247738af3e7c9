"""The connection to a client: whether it sends in time, is still there, and still reads."""

import select
import socket
import struct
from collections.abc import Mapping
from time import monotonic
from typing import Any

REQUEST_SECONDS = 10.0
"""How long a request may take to come; GitHub itself gives up after that time."""
STUCK_SECONDS = 5


class InTime:
    """A socket to read a request from; what has not come in time is its end.

    Without it, a client that stops in the middle of a request holds its thread for good.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.begin()

    def begin(self) -> None:
        """Give the next request its time."""
        self._until = monotonic() + REQUEST_SECONDS

    def recv(self, size: int) -> bytes:
        """What has come; nothing at the end, or when the time is over."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        left = max(0, self._until - monotonic())
        return self._socket.recv(size) if poll.poll(left * 1000) else b""


def limit_writes(sock: socket.socket, seconds: int = STUCK_SECONDS) -> None:
    """Fail a write of which the client takes nothing for so long; 0 is no limit."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", seconds, 0))


class Wire:
    """One connection as gunicorn shows it; elsewhere nothing is known, and nothing done."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._poll = select.poll()
        if self._socket is not None:
            self._poll.register(self._socket, select.POLLRDHUP)

    def gone(self) -> bool:
        """Whether the client has closed its end: poll(2), POLLRDHUP."""
        return bool(self._poll.poll(0))

    def limit(self, seconds: int = STUCK_SECONDS) -> None:
        """Fail a write of which the client takes nothing for so long; 0 is no limit.

        Source: SO_SNDTIMEO in socket(7). Without it, a client that stops reading holds its thread
        for good.
        """
        if self._socket is not None:
            limit_writes(self._socket, seconds)
