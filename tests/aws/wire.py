"""HTTP as AWS speaks it: which operation a request is, error answers, a small threaded server."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

FUNCTION = re.compile(
    r"/2015-03-31/functions/(?P<function>[^/]+)(/(?P<what>[\w-]+)(/(?P<name>.+))?)?/?"
)
LAMBDA = {
    ("GET", None): "GetFunction",
    ("DELETE", None): "DeleteFunction",
    ("POST", "invocations"): "Invoke",
    ("PUT", "code"): "UpdateFunctionCode",
    ("PUT", "configuration"): "UpdateFunctionConfiguration",
    ("GET", "versions"): "ListVersionsByFunction",
    ("POST", "versions"): "PublishVersion",
    ("POST", "aliases"): "CreateAlias",
    ("GET", "aliases"): "GetAlias",
    ("PUT", "aliases"): "UpdateAlias",
    ("DELETE", "aliases"): "DeleteAlias",
}
S3 = {"PUT": "PutObject", "HEAD": "HeadObject", "GET": "GetObject", "DELETE": "DeleteObject"}


@dataclass
class Request:
    """One call as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def __post_init__(self) -> None:
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        match = FUNCTION.fullmatch(parts.path)
        self.function = unquote(match["function"]) if match else ""
        self.name = unquote(match["name"] or "") if match else ""
        if match:
            self.operation = LAMBDA.get((self.method, match["what"]), "?")
            if self.operation == "GetAlias" and not self.name:
                self.operation = "ListAliases"
        elif parts.path == "/2016-08-19/account-settings":
            self.operation = "GetAccountSettings"
        elif self.method == "POST" and parts.path.endswith("/invalidation"):
            self.operation = "CreateInvalidation"
        elif self.method == "POST" and "delete" in parts.query.split("&"):
            self.operation = "DeleteObjects"
        elif target := self.headers.get("X-Amz-Target"):
            self.operation = target.rpartition(".")[2]
        elif self.method == "POST":
            self.operation = parse_qs(self.body.decode()).get("Action", ["?"])[0]
        else:
            copied = "x-amz-copy-source" in self.headers
            self.operation = "CopyObject" if copied else S3.get(self.method, "?")

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        return json.loads(self.body or b"{}")


@dataclass
class Answer:
    """One answer on its way back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        return json.loads(self.body or b"{}")


def changed(answer: Answer, extra: Mapping[str, Any]) -> Answer:
    """The same answer with other fields in its JSON."""
    body = json.dumps({**answer.json, **extra}).encode()
    headers = {k: v for k, v in answer.headers.items() if k.lower() != "x-amz-crc32"}
    return Answer(answer.status, headers, body)


def refusal(
    request: Request, status: int, code: str, text: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """An error in the form of the service that was asked."""
    if request.function:
        body = json.dumps({"Type": "User", "message": text, "Message": text})
        extra = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    elif "X-Amz-Target" in request.headers:
        body = json.dumps({"__type": code, "message": text})
        extra = {"Content-Type": "application/x-amz-json-1.0"}
    else:
        body = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
        if request.operation == "AssumeRole":
            body = f"<ErrorResponse>{body}</ErrorResponse>"
        extra = {"Content-Type": "application/xml"}
    return Answer(status, {**extra, **(headers or {})}, body.encode())


def handler(answer_to: Callable[[Request], Answer | None]) -> type[BaseHTTPRequestHandler]:
    """A handler for http.server; where there is no answer, the connection is cut."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            # A client that is killed between head and body has asked for nothing.
            whole = len(body) == length
            request = Request(self.command, self.path, self.headers, body)
            answer = answer_to(request) if whole else None
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            hop = {"connection", "transfer-encoding", "date", "server"}
            if self.command != "HEAD":
                hop.add("content-length")
                self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                if name.lower() not in hop:
                    self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = _serve  # noqa: N815

        def handle_expect_100(self) -> bool:
            going_on = super().handle_expect_100()
            self.wfile.flush()
            return going_on

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
