"""Deliveries at the door of a real web process: in pieces, in a row, beside everything else."""

import json
import socket
import time
import uuid

import pytest

from service.webhooks.signature import sign
from tests.service.conftest import COMMIT, push
from tests.stand_ins.slipway import SECRET

THREADS = 16  # of the two processes together
# Shorter bodies are gathered before a thread is taken.
LARGE = b"POST /api/v1/runs/x/cancel HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{"


@pytest.fixture
def dial(slipway):
    """Opens raw connections that are closed at the end."""
    opened = []

    def call():
        opened.append(socket.create_connection(("127.0.0.1", slipway.port), timeout=15))
        return opened[-1]

    yield call
    for line in opened:
        line.close()


def delivery(commit=COMMIT, version="1.1", secret=SECRET, *more):
    """A signed push as it goes over the wire."""
    body = json.dumps(push(after=commit)).encode()
    lines = [
        f"POST /webhooks/github HTTP/{version}",
        "Host: slipway.example.com",
        "Content-Type: application/json",
        "X-GitHub-Event: push",
        f"X-GitHub-Delivery: {uuid.uuid4()}",
        f"X-Hub-Signature-256: {sign(secret, body).decode()}",
        f"Content-Length: {len(body)}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answers(line, count):
    """The next answers on a connection: status, JSON and whether it stays."""
    file = line.makefile("rb")
    found = []
    for _ in range(count):
        status = int(file.readline().split()[1])
        fields = {}
        while field := file.readline().strip().lower():
            name, _, value = field.partition(b": ")
            fields[name] = value
        body = json.loads(file.read(int(fields[b"content-length"])))
        found.append((status, body, fields.get(b"connection") != b"close"))
    return found


def test_a_delivery_may_come_byte_by_byte(door, dial):
    """However the network cuts it, it is one delivery."""
    line = dial()
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    text = delivery()
    for at in range(600):
        line.send(text[at : at + 1])
    line.sendall(text[600:])
    assert answers(line, 1)[0][0] == 202


def test_deliveries_sent_ahead_are_answered_in_order(door, dial, slipway):
    """Ten requests at once over one connection, good and bad, get ten answers in their order."""
    line = dial()
    commits = [f"{number:040x}" for number in range(1, 9)]
    texts = [delivery(commit) for commit in commits]
    texts.insert(3, delivery(secret="another secret"))
    texts.append(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    line.sendall(b"".join(texts))
    found = answers(line, 10)
    assert [status for status, *_ in found] == [202] * 3 + [401] + [202] * 5 + [200]
    ids = [body["run_id"] for status, body, _ in found if status == 202]
    assert [slipway.run(run_id)["commit"] for run_id in ids] == commits


def test_one_connection_serves_deliveries_and_all_else(door, dial):
    """A proxy may use one connection for everything: each request finds its way."""
    line = dial()
    for number in range(3):
        line.sendall(delivery(f"{number + 1:040x}"))
        assert answers(line, 1)[0][::2] == (202, True)
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answers(line, 1)[0] == (200, {"status": "ok"}, True)


@pytest.mark.parametrize(("version", "more"), [("1.0", ()), ("1.1", ("Connection: close",))])
def test_a_connection_that_is_to_be_closed_is_closed(door, dial, version, more):
    """HTTP/1.0 and `Connection: close`, as proxies speak: one answer, then the end."""
    line = dial()
    line.sendall(delivery(COMMIT, version, SECRET, *more))
    assert answers(line, 1)[0][::2] == (202, False)
    assert line.recv(1) == b""


def test_who_says_no_more_still_hears(door, dial):
    """A client that closes its own direction after the request gets its answer."""
    line = dial()
    line.sendall(delivery())
    line.shutdown(socket.SHUT_WR)
    assert answers(line, 1)[0][0] == 202


@pytest.mark.parametrize("sent", [40, 300, -1])
def test_a_request_that_is_cut_off_is_refused(door, dial, sent):
    """A client that says no more before the end of its request hears why nothing happened."""
    line = dial()
    line.sendall(delivery()[:sent])
    line.shutdown(socket.SHUT_WR)
    status, body, stays = answers(line, 1)[0]
    assert (status, body["status"], stays) == (400, 400, False)


@pytest.mark.parametrize(("cut", "seconds"), [(200, 10), (-1, 30)], ids=["head", "body"])
def test_a_request_that_never_ends_is_ended(door, dial, cut, seconds):
    """After ten seconds the rest of a head is no longer waited for, after thirty that of a body."""
    line = dial()
    line.settimeout(45)
    line.sendall(delivery()[:cut])
    began = time.monotonic()
    status, body, stays = answers(line, 1)[0]
    assert (status, body["status"], stays) == (408, 408, False)
    assert seconds - 1 < time.monotonic() - began < seconds + 6


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_a_connection_on_which_nothing_comes_is_closed(door, dial, sent):
    """Within ten seconds and without a word, or with 408 where something began."""
    line = dial()
    line.sendall(sent)
    began = time.monotonic()
    assert line.recv(12) in (b"", b"HTTP/1.1 408")
    assert 4 < time.monotonic() - began < 14


def test_no_client_that_stops_sending_keeps_a_delivery_waiting(door, dial):
    """While many have stopped in the middle of a body, deliveries and pages are answered."""
    for _ in range(2 * THREADS):
        dial().sendall(LARGE)
    reader = dial()
    reader.sendall(b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n")
    began = time.monotonic()
    for number in range(20):
        line = dial()
        line.sendall(delivery(f"{number + 1:040x}"))
        assert answers(line, 1)[0][0] in (200, 202)
    assert time.monotonic() - began < 5
    reader.settimeout(15)
    assert reader.recv(15).startswith(b"HTTP/1.1 200")
