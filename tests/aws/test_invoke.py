"""A version is tried before it is released; the Lambda here is a real HTTP server of our own."""

import base64
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from config.pipeline import Smoke
from workers.aws.faults import ThrottledError
from workers.aws.invoke import smoke
from workers.aws.session import Aws
from workers.ledger.model.errors import PassingError, UserError
from workers.ledger.model.run import Release

RELEASE = Release(function="Loader", version="7")


class Lambda(ThreadingHTTPServer):
    """Answers every invocation the same way, and keeps what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body, self.headers = 200, b'{"statusCode": 200}', {}
        self.asked, self.seconds = [], 0.0


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, body))
        time.sleep(self.server.seconds)
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
    return Aws("eu-west-3", endpoint_url=f"http://127.0.0.1:{service.server_port}", invocation=1.0)


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
    """AWS's own failure is not the function's; the stage repeats it, nobody else does."""
    service.status, service.body = 503, b"{}"
    with pytest.raises(PassingError):
        smoke(aws, RELEASE, Smoke(), lambda _: None)
    assert len(service.asked) == 1


def test_a_throttled_invocation_is_tried_again(service, aws):
    """The function has not run; the stage comes back when AWS wants."""
    service.status, service.body = 429, b"{}"
    service.headers = {"X-Amzn-ErrorType": "TooManyRequestsException", "Retry-After": "7"}
    with pytest.raises(ThrottledError) as refused:
        smoke(aws, RELEASE, Smoke(), lambda _: None)
    assert refused.value.retry_after == 7
    assert len(service.asked) == 1


def test_a_function_that_takes_too_long_is_invoked_once(service, aws):
    """It is its owner's turn: to invoke it again would only do everything again."""
    service.seconds = 2.5
    with pytest.raises(UserError, match="Loader version 7 gave no answer within 1 s"):
        smoke(aws, RELEASE, Smoke(), lambda _: None)
    time.sleep(service.seconds)
    assert len(service.asked) == 1


def test_an_invocation_may_take_as_long_as_lambda_lets_it():
    """15 minutes ("Lambda quotas"); other calls are given up much sooner."""
    aws = Aws("eu-west-3")
    assert aws.invoker.meta.config.read_timeout > 900
    assert aws.lambda_.meta.config.read_timeout < 60


STOPPED = """
import sys
from config.pipeline import Smoke
from workers.aws.faults import ThrottledError
from workers.aws.invoke import smoke
from workers.aws.session import Aws
from workers.ledger.model.errors import DrainedError
from workers.ledger.model.run import Release

def watch():
    raise DrainedError("its worker is shutting down")

aws = Aws("eu-west-3", endpoint_url=sys.argv[1])
try:
    smoke(aws, Release(function="Loader", version="7"), Smoke(), print, watch)
except DrainedError:
    print("stopped")
"""


def test_a_worker_that_is_to_stop_does_not_wait_for_the_function(service, aws):
    """The wait ends at once, and the invocation that is left behind keeps no process alive."""
    service.seconds = 30
    url = f"http://127.0.0.1:{service.server_port}"
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", STOPPED, url], capture_output=True, text=True, timeout=25, check=True
    )
    assert ended.stdout == "stopped\n"
    assert len(service.asked) == 1
    assert time.monotonic() - began < 20
