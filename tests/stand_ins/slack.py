"""Slack's incoming webhook over real HTTP: keeps what is posted, refuses what Slack would."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from local.ports import HOST
from tests.stand_ins.github.faults import Fault, Faults

PATH = "/services/T00000000/B00000000/a-webhook-secret-of-slack"
MOST_BLOCKS = 50
LONGEST_SECTION = 3000
LONGEST_VALUE = 2000
LONGEST_BUTTON = 75


class Post(NamedTuple):
    """One request as it came in, and the answer's status; None when the connection was dropped."""

    at: float
    status: int | None
    message: Any


class Slack:
    """A running stand-in; use it with `with`. `messages` are those that a channel would show."""

    def __init__(self, port: int = 0) -> None:
        self.posts: list[Post] = []
        self.messages: list[dict[str, Any]] = []
        self._faults = Faults()
        self._server = ThreadingHTTPServer((HOST, port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self.url = f"http://{HOST}:{self._server.server_port}{PATH}"

    def fail_next(self, times: int = 1, **what: Any) -> Fault:
        """Order a fault: `status`, `headers`, `body`, `drop_connection`; `after` it was shown."""
        return self._faults.add("POST", "^/services/", times=times, **what)

    @property
    def texts(self) -> list[str]:
        """The plain text of every message."""
        return [message["text"] for message in self.messages]

    def take(self, path: str, body: bytes) -> tuple[int | None, str, dict[str, str]]:
        """Answer one request: status, text and headers; no status to drop the connection."""
        fault = self._faults.strike("POST", path)
        status, text, headers = 200, "ok", {}
        message: Any = None
        if not fault or fault.after:
            status, text, message = self._judge(path, body)
        if fault:
            status = None if fault.drop_connection else fault.status or status
            text, headers = fault.body or text, fault.headers
        self.posts.append(Post(time.time(), status, message))
        return status, text, headers

    def _judge(self, path: str, body: bytes) -> tuple[int, str, Any]:
        if path != PATH:
            return 404, "no_service", None
        try:
            message = json.loads(body)
        except ValueError:
            return 400, "invalid_payload", None
        if not message.get("text"):
            return 400, "no_text", message
        if not _good(message.get("blocks", [])):
            return 400, "invalid_blocks", message
        self.messages.append(message)
        return 200, "ok", message

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _good(blocks: list[dict[str, Any]]) -> bool:
    return 0 < len(blocks) <= MOST_BLOCKS and all(map(_good_block, blocks))


def _good_block(block: dict[str, Any]) -> bool:
    if block["type"] == "section":
        return 0 < len(block["text"]["text"]) <= LONGEST_SECTION
    if block["type"] == "context":
        return all(element["text"] for element in block["elements"])
    if block["type"] == "actions":
        return all(map(_good_button, block["elements"]))
    return False


def _good_button(button: dict[str, Any]) -> bool:
    return (
        button["type"] == "button"
        and len(button["text"]["text"]) <= LONGEST_BUTTON
        and len(button["value"]) <= LONGEST_VALUE
        and button.get("style") in {None, "primary", "danger"}
    )


def _handler(slack: Slack) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, text, headers = slack.take(self.path, body)
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Type": "text/html", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Nothing: `posts` has it."""

    return Handler
