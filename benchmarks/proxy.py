"""A proxy that notes when each call to AWS was made and answered."""

import http.client
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Self

SKIPPED = {"connection", "expect", "transfer-encoding"}


@dataclass(frozen=True)
class Call:
    """One call; seconds since 1970 around the answer of AWS alone."""

    method: str
    path: str
    began: float
    ended: float

    @property
    def moves_alias(self) -> bool:
        """Whether it makes or moves an alias."""
        return "/aliases" in self.path and self.method in ("PUT", "POST")

    @property
    def name(self) -> str:
        """Method and path without the query."""
        return f"{self.method} {self.path.partition('?')[0]}"


class Proxy:
    """Serves on a port of its own what another port answers."""

    def __init__(self, port: int) -> None:
        calls: list[Call] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm: ClassVar[bool] = True

            def setup(self) -> None:
                super().setup()
                self.upstream = http.client.HTTPConnection("127.0.0.1", port)
                self.upstream.connect()

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {k: v for k, v in self.headers.items() if k.lower() not in SKIPPED}
                began = time.time()
                self.upstream.request(self.command, self.path, body, headers)
                answer = self.upstream.getresponse()
                data = answer.read()
                calls.append(Call(self.command, self.path, began, time.time()))
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {*SKIPPED, "content-length"}:
                        self.send_header(name, value)
                length = answer.getheader("Content-Length") if self.command == "HEAD" else len(data)
                self.send_header("Content-Length", str(length or 0))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward  # noqa: N815 - http.server's

        self.calls = calls
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
