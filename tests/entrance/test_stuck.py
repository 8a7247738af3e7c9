"""A client that reads nothing of its answer is cut off."""

import contextlib
import socket
import time

import pytest
import redis as redis_py

from service.entrance.connection import STUCK_SECONDS
from tests.dashboard.worker import Work
from tests.entrance.test_events import Follower
from tests.stand_ins.slipway import TOKEN


@pytest.fixture
def book(web_redis):
    """The ledger's Redis."""
    with redis_py.Redis.from_url(web_redis.url, decode_responses=True) as client:
        yield client


def dialled(slipway, text):
    """A client that sends a text and reads nothing of what comes, for which it has no room."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(5)
    line.connect(("127.0.0.1", slipway.port))
    line.sendall(text)
    return line


def stuck(slipway, path):
    """One that asks for a page, with a token."""
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    return dialled(slipway, head.encode())


def test_who_reads_nothing_is_cut_off(slipway, book):
    """Within seconds, though the answer has not been taken; a patient reader beside it is not."""
    work = Work(book)
    for _ in range(200):
        work.lease.say("unit", "x" * 60_000, 20_000_000)
    with Follower(slipway, work.id) as patient:
        line = stuck(slipway, f"/api/v1/runs/{work.id}/events")
        time.sleep(3 * STUCK_SECONDS)
        line.settimeout(10)
        taken = 0
        with contextlib.suppress(ConnectionResetError):
            while part := line.recv(65536):
                taken += len(part)
        assert taken < 12_000_000
        assert patient.until("log")
