"""Many deliveries of deleted branches do not start a thread each."""

import json
import os
import signal
import socket
import threading
import time
import uuid
from pathlib import Path

import pytest

from service.aside import Aside
from service.webhooks.signature import sign
from tests.service.conftest import door, push, slipway, web_redis
from tests.stand_ins.slipway import SECRET

__all__ = ["door", "slipway", "web_redis"]
MANY = 150


def deletion(number):
    """A signed delivery as it goes over the wire: a branch that deploys was deleted."""
    gone = {"before": f"{number + 1:040x}", "after": "0" * 40, "deleted": True}
    body = json.dumps(push(**gone)).encode()
    lines = [
        "POST /webhooks/github HTTP/1.1",
        "Host: slipway.example.com",
        "Content-Type: application/json",
        "X-GitHub-Event: push",
        f"X-GitHub-Delivery: {uuid.uuid4()}",
        f"X-Hub-Signature-256: {sign(SECRET, body).decode()}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def threads(process):
    """How many threads a process and its children have."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return sum(len(list(Path(f"/proc/{one}/task").iterdir())) for one in (str(process), *children))


@pytest.mark.parametrize(("limit", "made"), [(MANY, MANY), (1, 1)])
def test_so_many_threads_are_made(limit, made):
    """Where each thing may have its own they are as many as the things; else as many as allowed."""
    hold, name = threading.Event(), f"aside-{uuid.uuid4()}"
    aside = Aside(name, lambda _: hold.wait(), threads=limit)
    for number in range(MANY):
        assert aside.add(number)
    try:
        assert sum(one.name == name for one in threading.enumerate()) == made
    finally:
        hold.set()


def test_what_can_not_be_done_in_time_is_not_gathered_without_end():
    """Beyond what may wait nothing is taken, and whoever asks hears it."""
    hold = threading.Event()
    aside = Aside("aside", lambda _: hold.wait(), most=3)
    try:
        taken = [aside.add(number) for number in range(20)]
    finally:
        hold.set()
    assert taken[:3] == [True] * 3
    assert taken[5:] == [False] * 15


def test_a_rush_of_deletions_takes_one_thread(door, slipway, web_redis):
    """While Redis is stuck each is answered at once, and the process stays as it was."""
    process = slipway.processes["web"].pid
    with socket.create_connection(("127.0.0.1", slipway.port), timeout=15) as line:
        answers = line.makefile("rb")
        line.sendall(deletion(MANY))
        assert answers.readline().split()[1] == b"200"
        before = threads(process)
        os.kill(web_redis.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            line.sendall(b"".join(deletion(number) for number in range(MANY)))
            found, seen = 0, before
            while found < MANY:
                found += answers.readline().startswith(b"HTTP/1.1 200")
                seen = max(seen, threads(process))
            taken = time.monotonic() - began
        finally:
            os.kill(web_redis.pid, signal.SIGCONT)
    assert seen <= before + 2
    assert taken < 5
