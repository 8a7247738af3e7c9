"""A connection to Redis for an event loop: nothing here waits for the other side."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from ssl import SSLWantReadError, SSLWantWriteError
from typing import Any

import hiredis
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

READ_BYTES = 64 * 1024
Command = tuple[str | int, ...]


class Channel:
    """A connection that is made as the client makes its own, and then never blocks."""

    def __init__(self, redis: Redis) -> None:
        """Make it, which may block, and load a script into the server."""
        self._pool = redis.connection_pool
        self._connection: Any = self._pool.get_connection()
        self._reader = hiredis.Reader(encoding="utf-8", replyError=ResponseError)
        self._unsent = bytearray()
        self._selector: BaseSelector | None = None
        self._events = EVENT_READ

    def ask(self, *command: str) -> Any:  # noqa: ANN401 - any Redis reply
        """One command and its reply, before the selector listens; it may block."""
        self._connection.send_command(*command)
        return self._connection.read_response()

    def listen(self, selector: BaseSelector, ready: Callable[[object], None]) -> None:
        """Have `ready` called whenever there is something to do here: `turn`."""
        self._socket.settimeout(0)
        self._selector = selector
        selector.register(self._socket, self._events, ready)

    def send(self, commands: Sequence[Command]) -> None:
        """Send commands, as far as the socket takes them now; the rest follows with `turn`.

        Raises:
            RedisConnectionError: the connection is broken.
        """
        for command in commands:
            self._unsent += hiredis.pack_command(command)  # type: ignore[arg-type] # any length
        self._flush()

    def turn(self) -> Iterator[Any]:
        """Send what is left to send; the replies that have come, errors as values.

        Raises:
            RedisConnectionError: the connection is broken.
        """
        self._flush()
        while self._receive():
            while (reply := self._reader.gets()) is not False:
                if not isinstance(reply, hiredis.PushNotification):
                    yield reply
            if not self._holds_more():
                return

    def close(self) -> None:
        """Be done with it."""
        if self._selector and self._connection._sock is not None:  # noqa: SLF001 - as below
            self._selector.unregister(self._socket)
        with suppress(OSError):
            self._connection.disconnect()
        self._pool.release(self._connection)

    @property
    def _socket(self) -> Any:  # noqa: ANN401 - with TLS or without
        return self._connection._sock  # noqa: SLF001 - nothing else shows what to wait for

    def _flush(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except (BlockingIOError, SSLWantWriteError, SSLWantReadError):
            pass
        except OSError as error:
            raise RedisConnectionError(f"Redis can't be written to: {error}") from error
        events = EVENT_READ | EVENT_WRITE if self._unsent else EVENT_READ
        if self._selector and events != self._events:
            key = self._selector.get_key(self._socket)
            self._selector.modify(self._socket, events, key.data)
            self._events = events

    def _receive(self) -> bool:
        """Whether something came."""
        try:
            came = self._socket.recv(READ_BYTES)
        except (BlockingIOError, SSLWantReadError, SSLWantWriteError):
            return False
        except OSError as error:
            raise RedisConnectionError(f"Redis can't be heard: {error}") from error
        if not came:
            raise RedisConnectionError("Redis has closed the connection")
        self._reader.feed(came)
        return True

    def _holds_more(self) -> bool:
        """Whether TLS has read ahead: the selector would not tell."""
        return hasattr(self._socket, "pending") and bool(self._socket.pending())
