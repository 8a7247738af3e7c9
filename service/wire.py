"""The connection to the client of a long answer: whether it is still there, and still reads."""

import select
import socket
import struct
from collections.abc import Mapping
from typing import Any

STUCK_SECONDS = 5


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
            limit = struct.pack("ll", seconds, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
