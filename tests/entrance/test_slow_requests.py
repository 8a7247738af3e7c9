"""Clients that send slowly, a Redis that takes no write: the truth is told at once."""

import socket
import sys
import time

import pytest
import redis as redis_py
import requests

from local.ports import free_port
from local.process import Process, wait_for_http
from local.redis import EmbeddedRedis
from service.entrance.connection import HEAD_SECONDS
from tests.e2e.conftest import OPERATOR
from tests.entrance.conftest import entered
from tests.service.conftest import Door, push
from tests.stand_ins.slipway import Slipway

SLOW = 150
BARE = """
import uvicorn
from config.settings import settings
from service.asgi import Entrance
uvicorn.run(Entrance(settings()), port=settings().port, lifespan="on", log_level="warning")
"""
BEGUN = {
    "head": b"GET /runs HTTP/1.1\r\nHost: slipway.example\r\nX-Slow: ",
    "body": b"POST /sign-in HTTP/1.1\r\nHost: slipway.example\r\nContent-Length: 500\r\n\r\ntoken=",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A web process and its Redis."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        folder = tmp_path_factory.mktemp("slipway")
        with Slipway(folder, OPERATOR, {"REDIS_URL": server.url}) as slipway:
            yield entered(slipway).start("web"), server


def took(url: str) -> float:
    """Seconds until the address answers with 200."""
    began = time.monotonic()
    assert requests.get(url, timeout=15).status_code == 200
    return time.monotonic() - began


@pytest.mark.parametrize("kind", BEGUN)
def test_slow_clients_keep_nobody_waiting(place, kind: str) -> None:
    """With 150 requests that don't come to their end, pages and health answer as ever."""
    slipway, _ = place
    lines = [socket.create_connection(("127.0.0.1", slipway.port)) for _ in range(SLOW)]
    try:
        for line in lines:
            line.sendall(BEGUN[kind])
        time.sleep(0.5)
        for path in ("/healthz", "/readyz", "/sign-in", "/metrics"):
            assert took(f"{slipway.url}{path}") < 3, path
        # They were heard, each: what they began is answered in its time.
        lines[0].settimeout(40)
        assert lines[0].recv(100).startswith(b"HTTP/1.1 408")
    finally:
        for line in lines:
            line.close()


def test_slow_clients_strike_at_uvicorns_own_connections(place, tmp_path) -> None:
    """The guard off: what does not come is waited for as long as it likes; with it, ten seconds."""
    slipway, server = place
    program = tmp_path / "bare.py"
    program.write_text(BARE)
    port = free_port()
    own = slipway.processes["web"]
    environment = {**own.env, "REDIS_URL": server.url, "PORT": str(port)}
    command = [sys.executable, str(program)]
    with Process(command, tmp_path / "bare.log", env=environment, cwd=own.cwd) as bare:
        wait_for_http(bare, f"http://127.0.0.1:{port}/healthz")
        ends = []
        for where in (port, slipway.port):
            line = socket.create_connection(("127.0.0.1", where))
            line.settimeout(HEAD_SECONDS + 5)
            line.sendall(BEGUN["head"])
            ends.append(line)
        assert ends[1].recv(100).startswith(b"HTTP/1.1 408")
        with pytest.raises(TimeoutError):
            ends[0].recv(100)
        for line in ends:
            line.close()


@pytest.mark.parametrize("fault", ["out of memory", "read-only"])
def test_readiness_fails_with_the_deliveries(place, fault: str) -> None:
    """Both are well, both get 503 while Redis takes no write, both are well again."""
    slipway, server = place
    door = Door(slipway.port)

    def ready() -> tuple[int, int]:
        number = f"{time.monotonic_ns():040x}"
        delivery = door.send(push(after=number))[0]
        return requests.get(f"{slipway.url}/readyz", timeout=10).status_code, delivery

    assert ready() == (200, 202)
    with redis_py.Redis.from_url(server.url) as client:
        try:
            if fault == "read-only":
                client.replicaof("127.0.0.1", 1)
            else:
                client.config_set("maxmemory", "1mb")
            assert ready() == (503, 503)
            assert requests.get(f"{slipway.url}/healthz", timeout=10).status_code == 200
        finally:
            client.replicaof("NO", "ONE")
            client.config_set("maxmemory", 0)
    assert ready() == (200, 202)
