"""Something that receives webhooks, for tests of those who send them."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Receiver(ThreadingHTTPServer):
    """Keeps headers and body of each delivery; answers with `status` once `release` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 202
        self.release = threading.Event()
        self.release.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/webhooks/github"

    def events(self) -> list[str]:
        """The names of the events so far."""
        return [headers["X-GitHub-Event"] for headers, _ in self.got]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.server.release.wait(5)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b'{"run_id": "1"}')

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its parent's name
        pass
