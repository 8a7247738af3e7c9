"""TLS in front of a stand-in, with a certificate that only its own authority vouches for."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from local.ports import HOST
from tests.stand_ins.smtp import private_certificate


class Tls:
    """Takes TLS on a port of its own and passes on what is in it; `authority` vouches for it."""

    def __init__(self, folder: Path) -> None:
        self._context = private_certificate(folder)
        self._listener = socket.create_server((HOST, 0))
        self.authority = folder / "server.pem"
        self.url = f"https://{HOST}:{self._listener.getsockname()[1]}"
        self.upstream = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, raw: socket.socket) -> None:
        with suppress(OSError):
            client = self._context.wrap_socket(raw, server_side=True)
            server = socket.create_connection((HOST, self.upstream))
            threading.Thread(target=_pump, args=(client, server), daemon=True).start()
            _pump(server, client)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
