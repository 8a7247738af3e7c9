"""Whoever uses up the descriptors of a process does not end it."""

import resource
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from local.process import Process
from local.redis import EmbeddedRedis
from tests.e2e.conftest import OPERATOR
from tests.e2e.town import until
from tests.stand_ins.slipway import Slipway

LIMIT = 100
MANY = 400
GUNICORN = ["gunicorn", "-c", "python:service.gunicorn"]
KINDS = {
    "ours": ["python", "-m", "service"],
    "gunicorn's own": [*GUNICORN, "-k", "gthread", "service:create_app()"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Redis."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


def children(process: Process) -> set[str]:
    """The processes that serve."""
    pid = process.pid
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def limited(slipway: Slipway, program: list[str]) -> Process:
    """The web process with few descriptors."""
    own = slipway.processes["web"]
    words = [str(Path(sys.executable).parent / program[0]), *program[1:]]
    command = ["prlimit", f"--nofile={LIMIT}:{LIMIT}", *words]
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
        assert "process_ended" not in web.log.read_text()
        assert "descriptors_used_up" in web.log.read_text()
        deadline = time.monotonic() + 15
        while requests.get(f"{slipway.url}/readyz", timeout=10).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert children(web) == before
