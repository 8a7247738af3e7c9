"""A Redis 7.4 that syncs once a second, as far as accepting goes: it confirms when it is told to.

For servers without WAITAOF on the test machine: what the ledger must do with its replies.
"""

import socketserver
import threading
from typing import Any, Self

import hiredis

from workers.ledger.scripts import SCHEMA

INFO = "redis_version:7.4.0\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n"


class LateRedis(socketserver.ThreadingTCPServer):
    """Answers EVALSHA with a new run, and WAITAOF with `synced` once `may_sync` is set.

    While there are `errors`, each EVALSHA, EVAL and SET gets the next of them instead.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.may_sync = threading.Event()
        self.synced = 1
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.connections = 0
        self.url = f"redis://127.0.0.1:{self.server_address[1]}/0?protocol=2"

    def reply(self, command: list[bytes]) -> Any:
        """What one command gets."""
        name = command[0].decode().upper()
        self.asked.append(name)
        if name == "WAITAOF":
            self.may_sync.wait(10)
            return [self.synced, 0]
        if name in ("EVALSHA", "EVAL", "SET") and self.errors:
            return ValueError(self.errors.pop(0))
        replies = {
            "INFO": INFO,
            "PING": "PONG",
            "CONFIG": ["appendfsync", "everysec"],
            "SCRIPT": "0" * 40,
            "GET": SCHEMA,
            "EVALSHA": [1, command[4].decode() if name == "EVALSHA" else ""],
        }
        return replies.get(name, "OK")

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.may_sync.set()
        self.shutdown()
        self.server_close()


class _Handler(socketserver.BaseRequestHandler):
    server: LateRedis

    def handle(self) -> None:
        """Commands, until the client goes."""
        self.server.connections += 1
        reader = hiredis.Reader()
        while data := self.request.recv(65536):
            reader.feed(data)
            while (command := reader.gets()) is not False:
                self.request.sendall(_encoded(self.server.reply(command)))


def _encoded(value: Any) -> bytes:
    if isinstance(value, Exception):
        return b"-%s\r\n" % str(value).encode()
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(_encoded, value))
    return b"$%d\r\n%s\r\n" % (len(value.encode()), value.encode())
