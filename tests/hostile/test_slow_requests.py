"""Clients that send slowly, a Redis that takes no write: the truth is told at once."""

import socket
import time

import pytest
import redis as redis_py
import requests

from local.process import Process
from local.redis import EmbeddedRedis
from tests.e2e.conftest import OPERATOR
from tests.service.conftest import Door, push
from tests.stand_ins.slipway import Slipway

SLOW = 150
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
            yield slipway.start("web"), server


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
        lines[0].settimeout(15)
        assert lines[0].recv(100).startswith(b"HTTP/1.1 408")
    finally:
        for line in lines:
            line.close()


def test_slow_clients_strike_at_gunicorns_own_worker(place, tmp_path) -> None:
    """The guard off: the same clients hold every thread, and a page is not answered in time."""
    _, server = place
    with Slipway(tmp_path / "slipway", OPERATOR, {"REDIS_URL": server.url}) as slipway:
        own = slipway.processes["web"]
        command = [*own.command[:-1], "-k", "gthread", own.command[-1]]
        slipway.processes["web"] = Process(command, own.log, env=own.env, cwd=own.cwd)
        slipway.start("web")
        lines = [socket.create_connection(("127.0.0.1", slipway.port)) for _ in range(SLOW)]
        try:
            for line in lines:
                line.sendall(BEGUN["body"])
            time.sleep(0.5)
            with pytest.raises(requests.Timeout):
                requests.get(f"{slipway.url}/sign-in", timeout=4)
        finally:
            for line in lines:
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
