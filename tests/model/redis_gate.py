"""A door before Redis that counts what one worker sends through it, and strikes at a number."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from local.ports import HOST

CHUNK = 1 << 16


class RedisGate:
    """Passes commands on to Redis; `strike` is called before the n-th, or after it was done."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server((HOST, 0))
        self.url = f"redis://{HOST}:{self._listener.getsockname()[1]}/0"
        self._left = -1
        self._after = False
        self._over: Callable[[], None] | None = None
        self._strike: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def arm(
        self,
        number: int,
        strike: Callable[[], None],
        *,
        after: bool,
        over: Callable[[], None] | None = None,
    ) -> None:
        """Strike at one of the next commands; what has an `over` goes on after that."""
        with self._lock:
            self._left, self._after, self._strike, self._over = number, after, strike, over

    def calm(self) -> None:
        """Strike no more."""
        with self._lock:
            self._left = -1

    def _due(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left == -1

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((HOST, self._upstream))
                pair = _Pair(client, server)
                threading.Thread(target=self._commands, args=[pair], daemon=True).start()
                threading.Thread(target=self._replies, args=[pair], daemon=True).start()

    def _commands(self, pair: "_Pair") -> None:
        with suppress(OSError):
            while data := pair.client.recv(CHUNK):
                due = self._due()
                after, strike, over = self._after, self._strike, self._over
                if due and after:
                    pair.dying = strike, over
                elif due:
                    strike()
                    if not over:
                        break
                pair.server.sendall(data)
                if due and not after and over:
                    over()
        pair.close()

    def _replies(self, pair: "_Pair") -> None:
        with suppress(OSError):
            while data := pair.server.recv(CHUNK):
                if pair.dying:
                    strike, over = pair.dying
                    pair.dying = None
                    strike()
                    if not over:
                        break
                    over()
                pair.client.sendall(data)
        pair.close()

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()


class _Pair:
    """One client's connection and its other half."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.dying: tuple[Callable[[], None], Callable[[], None] | None] | None = None
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        for one in (self.client, self.server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
