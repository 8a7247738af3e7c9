"""What all tests share: the real engine, the real Redis and the AWS stand-in, each started once.

Heavy imports are in the fixtures, so that tests which need none of this start at once.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import redis as redis_py

    from local.redis import EmbeddedRedis
    from tests.stand_ins.aws import AwsStandIn
    from tests.stand_ins.engine import Engine

ROOT = Path(__file__).parents[1]
PYTHON_IMAGE = "python:3.11-slim"
LONGEST = {
    name: place
    for place, name in enumerate(
        ("model", "e2e", "demo", "browser", "docker", "builds", "hostile", "stages")
    )
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole towns first: a long file that begins last is what everybody waits for."""
    items.sort(key=lambda item: LONGEST.get(item.path.relative_to(ROOT / "tests").parts[0], 9))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reports travel between processes as UTF-8; what hostile tests logged may be none."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where set-up work is kept from one run to the next."""
    folder = ROOT / ".slipway"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def engine(cache: Path) -> Iterator["Engine"]:
    """A Docker engine with BuildKit; this process's DOCKER_HOST and PATH lead to it."""
    from tests.stand_ins.engine import Engine

    with Engine(cache) as engine, pytest.MonkeyPatch.context() as patch:
        for name, value in engine.environment().items():
            patch.setenv(name, value)
        yield engine


@pytest.fixture(scope="session")
def bridged_host(cache: Path, python_image: str) -> Iterator[str]:
    """The DOCKER_HOST of another engine, which has a network `bridge` and the Python image."""
    from tests.stand_ins.bridge import Bridge
    from tests.stand_ins.engine import Engine
    from tests.stand_ins.images import ensure_images

    if not Bridge.can_be_made():
        pytest.skip("needs root and ip (Debian: iproute2)")
    with Bridge() as bridge, Engine(cache / "bridged", bridge=bridge.name) as engine:
        ensure_images(engine.host, [python_image], cache)
        yield engine.host


@pytest.fixture(scope="session")
def docker_host(engine: "Engine") -> str:
    """The engine's DOCKER_HOST."""
    return engine.host


@pytest.fixture(scope="session")
def python_image(docker_host: str, cache: Path) -> str:
    """The name of a Python 3.11 image that the engine holds."""
    from tests.stand_ins.images import ensure_images

    ensure_images(docker_host, [PYTHON_IMAGE], cache)
    return PYTHON_IMAGE


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator["EmbeddedRedis"]:
    """A durable Redis server for the whole session; kill your own one, not this."""
    from local.redis import EmbeddedRedis

    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(redis_server: "EmbeddedRedis") -> Iterator["redis_py.Redis"]:
    """A client of the session's Redis, empty at the start of each test."""
    import redis as redis_py

    with redis_py.Redis.from_url(redis_server.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator["AwsStandIn"]:
    """The AWS stand-in for the whole session."""
    from tests.stand_ins.aws import AwsStandIn

    log = tmp_path_factory.mktemp("aws") / "moto.log"
    with AwsStandIn(log=log, docker_host=os.environ.get("DOCKER_HOST", "")) as server:
        yield server


@pytest.fixture
def aws(aws_server: "AwsStandIn", monkeypatch: pytest.MonkeyPatch) -> "AwsStandIn":
    """The AWS stand-in, empty; boto3 in this process and its children talks to it."""
    aws_server.reset()
    for name, value in aws_server.environment().items():
        monkeypatch.setenv(name, value)
    return aws_server
