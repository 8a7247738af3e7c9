"""How the web process serves: connections that stay, bounds of a request, a log without doubles."""

import http.client
import json
import socket
import time

import pytest

from tests.service.conftest import push
from tests.stand_ins.slipway import TOKEN

CONNECTIONS = 100  # more than the two processes have threads


@pytest.fixture
def connect(slipway):
    """Opens connections that are closed at the end."""
    opened = []

    def open_one():
        opened.append(http.client.HTTPConnection("127.0.0.1", slipway.port, timeout=10))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


def ask(connection, path="/healthz"):
    """GET over a connection that stays open; the status and the seconds it took."""
    began = time.monotonic()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status, time.monotonic() - began


def test_a_connection_is_kept_for_request_after_request(connect):
    """Requests that follow at once, and one that follows late, are answered on one connection."""
    connection = connect()
    statuses = [ask(connection)[0] for _ in range(20)]
    socket = connection.sock
    time.sleep(0.5)
    statuses.append(ask(connection)[0])
    assert statuses == [200] * 21
    assert connection.sock is socket


def test_open_connections_do_not_starve_a_new_one(connect):
    """More connections than threads, all kept open and all asked again: each is answered."""
    many = [connect() for _ in range(CONNECTIONS)]
    for _ in range(2):
        assert {ask(connection)[0] for connection in many} == {200}
    status, seconds = ask(connect())
    assert status == 200
    assert seconds < 2


@pytest.mark.parametrize(("size", "closed"), [(70_000, None), (1_000_000, "close")])
def test_a_large_body_is_the_last_of_its_connection(slipway, connect, size, closed):
    """One over every bound is left unread, and the answer says that nothing follows."""
    connection = connect()
    authorization = {"Authorization": f"Bearer {TOKEN}"}
    path = "/api/v1/environments/sandbox/lock"
    connection.request("POST", path, body=b"x" * size, headers=authorization)
    answer = connection.getresponse()
    assert json.loads(answer.read())["status"] == answer.status == 413
    assert answer.getheader("Connection") == closed
    assert ask(connection)[0] == 200


@pytest.mark.parametrize(
    ("line", "field", "status"),
    [
        ("no http at all", "", 400),
        ("GET /healthz HTTP/1.1", "Content-Length: abc", 400),
        ("POST /webhooks/github HTTP/1.1", "Content-Length: -1", 400),
        ("POST /webhooks/github HTTP/1.1", "Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("POST /webhooks/github HTTP/1.1", "Transfer-Encoding: foo", 400),
        ("GET /healthz HTTP/1.1", f"X-Long: {'x' * 20_000}", 431),
        (f"GET /{'x' * 9000} HTTP/1.1", "", 414),
    ],
)
def test_what_is_no_request_gets_a_problem(slipway, line, field, status):
    """It is refused before any view sees it, in the words of the API."""
    with socket.create_connection(("127.0.0.1", slipway.port), timeout=10) as connection:
        connection.sendall(f"{line}\r\nHost: x\r\n{field}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        problem = json.loads(answer.read())
    assert answer.status == problem["status"] == status
    assert answer.getheader("Content-Type") == "application/problem+json"
    assert problem["detail"]


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        ("1.1", ["x"], 200),
        ("1.1", [], 400),
        ("1.1", ["x", "y"], 400),
        ("1.0", [], 200),
        ("1.0", ["x", "y"], 400),
        ("1.2", ["x"], 200),
        ("1.2", [], 400),
    ],
)
@pytest.mark.parametrize("path", ["/healthz", "/sign-in", "/metrics"])
def test_one_host_and_any_minor_version(slipway, path, version, hosts, status):
    """HTTP/1.1 and later name one host; all are answered as 1.1 (RFC 9110, section 6.2)."""
    lines = [f"GET {path} HTTP/{version}", *(f"Host: {host}" for host in hosts)]
    with socket.create_connection(("127.0.0.1", slipway.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = connection.makefile("rb").readline()
    assert int(answer.split()[1]) == status
    assert answer.startswith(b"HTTP/1.1 ")


def test_a_taken_delivery_has_one_line_in_the_log(slipway, door):
    """Its own line names run and delivery; other requests have one of the server's."""
    before = len(lines(slipway))
    assert door.send(push())[0] == 202
    assert door.send(push(), secret="another secret")[0] == 401
    until = time.monotonic() + 5
    while len(lines(slipway)) < before + 2 and time.monotonic() < until:
        time.sleep(0.05)  # both are written after the answer
    events = [line["event"] for line in lines(slipway)[before:]]
    assert sorted(events) == ["delivery", "request"]


def lines(slipway):
    """What the web process has logged."""
    text = slipway.processes["web"].log.read_text()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
