"""Lingering close: a client that still sends when its answer is there gets to read it.

A socket that is closed with unread bytes resets the connection, and the client, amid its body,
loses the answer with it (RFC 9112, section 9.6). So our direction is closed first, and what still
comes is thrown away in the event loop: no thread is held, and nothing is waited for.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, BaseSelector
from time import monotonic
from typing import Any

MOST_SECONDS = 10.0
SILENT_SECONDS = 2.0
MOST_BYTES = 64 * 1024 * 1024
"""After so long, after so long without a byte, or after so much, it is closed all the same."""
READ_BYTES = 256 * 1024


class _Rest:
    """What may still come over a connection."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        self.connection = connection
        self.size = MOST_BYTES
        self.until = monotonic() + MOST_SECONDS
        self.heard = monotonic()


class Lingering:
    """The connections that have had their last answer; `closed` closes one."""

    def __init__(self, selector: BaseSelector, closed: Callable[[Any], None]) -> None:
        self._selector = selector
        self._closed = closed
        self._rests: set[_Rest] = set()
        self._bin = bytearray(READ_BYTES)

    def add(self, connection: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Close a connection as soon as its client does, or has had its time."""
        sock: socket.socket = connection.sock
        try:
            sock.settimeout(0)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._closed(connection)
            return
        rest = _Rest(connection)
        self._rests.add(rest)
        self._selector.register(sock, EVENT_READ, partial(self._discard, rest))

    def tidy(self) -> None:
        """Close those that have had their time."""
        now = monotonic()
        for rest in list(self._rests):
            if now > rest.until or now > rest.heard + SILENT_SECONDS:
                self._end(rest)

    def _discard(self, rest: _Rest, _: object) -> None:
        try:
            size = rest.connection.sock.recv_into(self._bin)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            size = 0
        rest.size -= size
        rest.heard = monotonic()
        if not size or rest.size <= 0:
            self._end(rest)

    def _end(self, rest: _Rest) -> None:
        self._rests.discard(rest)
        with suppress(OSError, KeyError, ValueError):
            self._selector.unregister(rest.connection.sock)
        self._closed(rest.connection)
