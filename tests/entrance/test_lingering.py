"""The last answer of a connection reaches a client that is still sending."""

import http.client
import json
import socket
import time

import pytest

from service.entrance.exchange import SILENT_SECONDS, SPARE_BYTES, SPARE_SECONDS
from service.webhooks.github import MOST_BYTES as MOST_DELIVERY
from tests.service.conftest import push
from tests.stand_ins.slipway import TOKEN

LAST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
KERNEL_BYTES = 16 * 2**20  # what the buffers of both ends may hold


@pytest.fixture
def dial(slipway):
    """Opens raw connections that are closed at the end."""
    opened = []

    def call(text=b""):
        line = socket.create_connection(("127.0.0.1", slipway.port), timeout=15)
        opened.append(line)
        line.sendall(text)
        return line

    yield call
    for line in opened:
        line.close()


def answered(line):
    """The status and the problem of an answer that is the connection's last."""
    answer = http.client.HTTPResponse(line)
    answer.begin()
    return answer.status, json.loads(answer.read())


def post(slipway, path, size):
    """Send a whole body as http.client does: all of it, then it looks for the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", slipway.port, timeout=30)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    connection.request("POST", path, body=b"x" * size, headers=headers)
    answer = connection.getresponse()
    problem = json.loads(answer.read())
    connection.close()
    assert problem["status"] == answer.status
    return answer.status


def test_a_delivery_over_the_limit_is_refused_while_it_is_sent(slipway):
    """413 for a byte too many, fifteen times out of fifteen, though all of it is sent."""
    assert [post(slipway, "/webhooks/github", MOST_DELIVERY + 1) for _ in range(15)] == [413] * 15


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nope", 404),
        ("/healthz", 405),
        ("/api/v1/environments/sandbox/lock", 413),
        ("/webhooks/sonarqube", 413),
    ],
)
def test_a_large_body_that_nobody_reads_does_not_cost_its_answer(slipway, path, status):
    """Five megabytes to what takes none, or little: the answer is read, not a reset."""
    assert [post(slipway, path, 5_000_000) for _ in range(5)] == [status] * 5


def test_who_does_not_close_holds_nobody_up(door, dial):
    """Twenty clients have had their last answer and stay: a delivery is taken at once."""
    lines = [dial(LAST) for _ in range(20)]
    assert [answered(line)[0] for line in lines] == [200] * 20
    began = time.monotonic()
    for number in range(10):
        assert door.send(push(after=f"{number + 1:040x}"))[0] == 202
    assert time.monotonic() - began < 2


def until_closed(line, piece, pause):
    """Go on sending until the other end is gone: the seconds it took, and the bytes it took."""
    began, sent = time.monotonic(), 0
    try:
        while time.monotonic() - began < 30:
            line.sendall(piece)
            sent += len(piece)
            time.sleep(pause)
    except OSError:
        return time.monotonic() - began, sent
    raise AssertionError("nobody closes it")


def refused(dial, size):
    """A client whose body is over the limit, with its answer and the body yet to come."""
    line = dial(b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
    assert answered(line)[0] == 413
    return line


def test_who_sends_on_and_on_is_cut_off(door, dial):
    """A byte now and then has ten seconds, silence two, and a flood 64 MB."""
    seconds, _ = until_closed(refused(dial, 10**9), b"x", 0.2)
    assert SPARE_SECONDS - 1 < seconds < SPARE_SECONDS + 4
    line = refused(dial, 10**9)
    time.sleep(SILENT_SECONDS + 2)
    assert until_closed(line, b"x", 0.2)[0] < 1
    _, sent = until_closed(refused(dial, 10**9), b"x" * 2**20, 0)
    assert SPARE_BYTES - 2**20 <= sent <= SPARE_BYTES + KERNEL_BYTES


def test_a_client_that_ends_its_connection_hears_why_it_is_refused(slipway):
    """As urllib sends it, with `Connection: close`: 413 for a byte too many, each time."""
    for _ in range(5):
        connection = http.client.HTTPConnection("127.0.0.1", slipway.port, timeout=30)
        headers = {"Connection": "close"}
        connection.request("POST", "/webhooks/github", b"x" * (MOST_DELIVERY + 1), headers)
        assert connection.getresponse().status == 413
        connection.close()
