"""The stand-in as a server of its own thread, on a port of 127.0.0.1."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.stand_ins.github.application import create_app
from tests.stand_ins.github.hooks import TIME_LIMIT
from tests.stand_ins.github.hub import Hub
from tests.stand_ins.github.model import TOKEN
from tests.stand_ins.github.payloads import Links


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Nothing: the journal has it."""


class GitHub(Hub):
    """A running stand-in; use it with `with`, or `start` and `stop` it.

    `root` holds the repositories; port 0 takes a free one; `hook_seconds` is how long a receiver
    may take (GitHub: 10).
    """

    def __init__(
        self,
        root: Path,
        port: int = 0,
        token: str = TOKEN,
        *,
        host: str = "127.0.0.1",
        hook_seconds: float = TIME_LIMIT,
    ) -> None:
        links = Links("", "")
        super().__init__(Path(root).absolute(), links, token, hook_seconds)
        app = create_app(self)
        self._server = make_server(host, port, app, threaded=True, request_handler=_QuietHandler)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self.url = f"http://{host}:{self._server.port}"
        self.api_url = self.url
        self.links = Links(self.api_url, self.url)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def start(self) -> Self:
        """Answer requests from now on."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer no more, and send no more deliveries."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.shut()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
