"""A real web process behind the ASGI entrance, and deliveries made by hand."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.process import Process
from local.redis import EmbeddedRedis
from tests.e2e.conftest import OPERATOR
from tests.service.conftest import OLD_SECRET, SONAR_SECRET, door, web_redis
from tests.stand_ins.slipway import SECRET, Slipway

__all__ = ["door", "web_redis"]


def entered(processes: Slipway) -> Slipway:
    """The same processes, with the web process by `python -m service`; not started."""
    own = processes.processes["web"]
    command = [sys.executable, "-m", "service"]
    processes.processes["web"] = Process(command, own.log, env=own.env, cwd=own.cwd)
    return processes


@pytest.fixture(scope="module")
def slipway(
    tmp_path_factory: pytest.TempPathFactory, web_redis: EmbeddedRedis
) -> Iterator[Slipway]:
    """The web process alone: nothing works on what it accepts."""
    folder: Path = tmp_path_factory.mktemp("slipway")
    environment = {
        "REDIS_URL": web_redis.url,
        "GITHUB_WEBHOOK_SECRET": f"{SECRET},{OLD_SECRET}",
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "SONAR_WEBHOOK_SECRET": SONAR_SECRET,
    }
    with Slipway(folder, OPERATOR, environment) as processes:
        yield entered(processes).start("web")
