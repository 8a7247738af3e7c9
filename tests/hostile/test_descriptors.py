"""Whoever uses up the descriptors of a process does not end it."""

import errno
import os
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from billiard.pool import RUN

from local.process import Process
from local.redis import EmbeddedRedis
from tests.e2e.conftest import OPERATOR
from tests.e2e.town import until
from tests.stand_ins.slipway import Slipway
from workers.process.pool import Processes

LIMIT = 100
LEAST = 3
MANY = 400
GUNICORN = "gunicorn -c python:service.gunicorn"
PROGRAM = "service:create_app()"
KINDS = {"ours": [], "gunicorn's own": ["-k", "gthread"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Redis."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


def children(process: Process) -> set[str]:
    """The processes that serve."""
    pid = process.pid
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def limited(slipway: Slipway, more: list[str]) -> Process:
    """The web process with few descriptors."""
    words = [*shlex.split(GUNICORN), *more, PROGRAM]
    program = [str(Path(sys.executable).parent / words[0]), *words[1:]]
    own = slipway.processes["web"]
    command = ["prlimit", f"--nofile={LIMIT}:{LIMIT}", *program]
    return Process(command, own.log, env=own.env, cwd=own.cwd)


def flooded(slipway: Slipway) -> None:
    """Many connections that say nothing are there for a while."""
    with ExitStack() as stack:
        for _ in range(MANY):
            line = stack.enter_context(socket.socket())
            line.settimeout(2)
            try:
                line.connect(("127.0.0.1", slipway.port))
            except OSError:
                continue
        time.sleep(1.5)


@pytest.mark.parametrize("kind", KINDS)
def test_connections_do_not_end_the_process_that_serves(server, tmp_path, kind) -> None:
    """Four hundred of them with a hundred descriptors: gunicorn's own worker ends, ours doesn't."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 2 * MANY, "this process needs more"
    with Slipway(tmp_path / "slipway", OPERATOR, {"REDIS_URL": server.url}) as slipway:
        slipway.processes["web"] = web = limited(slipway, KINDS[kind])
        slipway.start("web")
        before = until(lambda: len(two := children(web)) == 2 and two, 20, web.tail)
        flooded(slipway)
        if kind != "ours":
            until(lambda: children(web) != before, 40, "the attempt does not strike")
            return
        time.sleep(2)
        assert children(web) == before
        assert "Worker exiting" not in web.tail()
        deadline = time.monotonic() + 15
        while requests.get(f"{slipway.url}/readyz", timeout=10).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert children(web) == before


class Broken(Processes):
    """A pool of which a process has ended, where no descriptor is left for another."""

    def __init__(self) -> None:
        self._state = RUN
        self._worker_handler = self

    def _maintain_pool(self) -> None:
        raise OSError(errno.EMFILE, "Too many open files")


def test_a_pool_without_descriptors_strikes_at_celerys_own() -> None:
    """There the error leaves the pool, and ends the worker; here it is told, and tried again."""
    broken = Broken()
    with pytest.raises(OSError, match="Too many"):
        super(Processes, broken).maintain_pool()
    broken.maintain_pool()


def test_a_worker_with_no_descriptor_left_goes_on(server, tmp_path) -> None:
    """A process of its pool ends while its main process can open nothing: it makes another."""
    with Slipway(tmp_path / "slipway", OPERATOR, {"REDIS_URL": server.url}) as slipway:
        worker = slipway.processes["worker"]
        slipway.start("worker")
        before = until(lambda: len(found := children(worker)) == 5 and found, 60, worker.tail)
        until(lambda: "ready" in worker.tail(), 60, worker.tail)
        time.sleep(2)
        assert len(list(Path(f"/proc/{worker.pid}/fd").iterdir())) > LEAST
        former = resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (LEAST, former[1]))
        os.kill(int(min(before, key=int)), signal.SIGKILL)
        until(lambda: "process_not_made" in worker.log.read_text(), 40, worker.tail)
        time.sleep(6)
        assert worker.running, worker.tail()
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, former)
        until(lambda: len(children(worker)) == len(before), 60, worker.tail)


SHORT = """
import os, resource, socket
from service.descriptors import USED_UP, InHand
in_hand = InHand() if {guard} else None
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
client.settimeout(3)
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
taken = []
while True:
    try:
        taken.append(os.dup(0))
    except OSError:
        break
try:
    listener.accept()
except OSError as error:
    assert error.errno in USED_UP
    if in_hand:
        in_hand.turn_away(listener)
print(client.recv(1))
"""


@pytest.mark.parametrize("guard", [False, True])
def test_who_comes_when_there_is_no_descriptor_is_turned_away(guard) -> None:
    """Without one in hand the client waits for ever, and keeps the loop awake; with it, it ends."""
    words = [sys.executable, "-c", SHORT.format(guard=guard)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert ("b''" in done.stdout) is guard, done.stderr
    assert ("timed out" in done.stderr) is not guard
