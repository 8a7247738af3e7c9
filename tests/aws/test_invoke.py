"""A version is tried before it is released; the Lambda here is a real HTTP server of our own."""

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from config.pipeline import Smoke
from workers.aws.invoke import smoke
from workers.aws.session import Aws
from workers.errors import PassingError, UserError
from workers.run import Release

RELEASE = Release(function="Loader", version="7")


class Lambda(ThreadingHTTPServer):
    """Answers every invocation the same way, and keeps what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body, self.headers = 200, b'{"statusCode": 200}', {}
        self.asked = []


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, body))
        self.send_response(self.server.status)
        log = base64.b64encode(b"START\nhello from the function\n").decode()
        for name, value in {"X-Amz-Log-Result": log, **self.server.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    """A Lambda that answers."""
    with Lambda() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def aws(service, monkeypatch):
    """A client of it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    return Aws("eu-west-3", endpoint_url=f"http://127.0.0.1:{service.server_port}", attempts=1)


def test_a_version_that_answers_is_fine(service, aws):
    """The version itself is invoked with the payload, and its log is shown."""
    said = []
    smoke(aws, RELEASE, Smoke(payload={"a": 1}), said.append)
    ((path, body),) = service.asked
    assert path == "/2015-03-31/functions/Loader/invocations?Qualifier=7"
    assert body == b'{"a": 1}'
    assert said == ["START\nhello from the function"]


@pytest.mark.parametrize("body", [b"null", b"[]", b'"hi"', b"not json", b'{"a": 1}'])
def test_without_a_status_of_its_own_the_invocations_counts(service, aws, body):
    """A function that isn't behind API Gateway answers what it likes."""
    service.body = body
    smoke(aws, RELEASE, Smoke(), lambda _: None)


@pytest.mark.parametrize(("body", "expect"), [(b'{"statusCode": 500}', 200), (b"{}", 201)])
def test_another_status_fails_with_both_named(service, aws, body, expect):
    """What was answered and what was expected stand in the error."""
    service.body = body
    with pytest.raises(UserError, match=rf"Loader version 7 answered \d+ instead of {expect}"):
        smoke(aws, RELEASE, Smoke(expect=expect), lambda _: None)


def test_a_function_that_raises_fails(service, aws):
    """Lambda says so in a header, with status 200; the log is shown all the same."""
    service.headers, service.body = {"X-Amz-Function-Error": "Unhandled"}, b'{"errorType": "Oh"}'
    said = []
    with pytest.raises(UserError, match="errorType"):
        smoke(aws, RELEASE, Smoke(), said.append)
    assert said


def test_a_lambda_out_of_reach_is_tried_again(service, aws):
    """AWS's own failure is not the function's."""
    service.status, service.body = 503, b"{}"
    with pytest.raises(PassingError):
        smoke(aws, RELEASE, Smoke(), lambda _: None)
