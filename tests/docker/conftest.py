"""What the tests of workers/docker share."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.docker import litter
from workers.docker.engine import Engine


class Quiet:
    """A watch that lets everything go on and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def check(self) -> None:
        """Go on."""
        self.asked += 1


class LeaseLostError(Exception):
    """What the watch of a worker without a lease raises."""


class Losing:
    """A watch that loses its lease after some seconds."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds

    def check(self) -> None:
        """Go on until the lease is gone."""
        if time.monotonic() > self.until:
            raise LeaseLostError


@pytest.fixture
def quiet() -> Quiet:
    """A watch that lets everything go on."""
    return Quiet()


@pytest.fixture(scope="session")
def real_engine(docker_host: str) -> Engine:
    """The engine under test."""
    return Engine({"DOCKER_HOST": docker_host, "PATH": os.environ["PATH"]})


@pytest.fixture
def labels(real_engine: Engine, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Labels of this test's run, whose leftovers go at the end."""
    run = f"test-{request.node.name}-{os.getpid()}"
    yield litter.labels(run, 1)
    litter.remove_run(real_engine, run)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder for a build's context."""
    folder = tmp_path / "context"
    folder.mkdir()
    return folder
