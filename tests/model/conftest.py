"""Redis on a disk that costs nothing, git over HTTP, and the watched AWS, for all examples."""

import itertools
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from local.redis import EmbeddedRedis
from tests.inside import Inside, reaches
from tests.model.parts import ALARM, BUCKET, OPERATOR, Parts, unhurried
from tests.model.redis_gate import RedisGate
from tests.model.watched import Watched
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import GitHub
from workers.aws import session

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: what is tested here is not the disk."""
    made = Path(tempfile.mkdtemp(prefix="slipway-", dir=MEMORY if MEMORY.is_dir() else None))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="package")
def parts(folder: Path) -> Iterator[Parts]:
    """One web process's and one worker's insides, and what is around them."""
    settings = {"retries": 3, "capacity": 50, "lease_seconds": 600}
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with (
            AwsStandIn(log=folder / "moto.log") as cloud,
            GitHub(folder / "github") as github,
            EmbeddedRedis(folder / "redis") as redis,
            RedisGate(redis.port) as gate,
            Watched(cloud.url) as strict,
            pytest.MonkeyPatch.context() as patch,
        ):
            reaches(patch, cloud, strict)
            patch.setenv("DOCKER_HOST", f"unix://{folder}/nowhere.sock")
            unhurried()
            patch.setattr("service.actions.rollback.LOOK_SECONDS", 0.0)
            cloud.create_bucket(BUCKET)
            cloud.client("cloudwatch").put_metric_alarm(**_alarm())
            inside = Inside(folder / "inside", OPERATOR, redis, github, **settings)
            doomed = Inside(folder / "inside", OPERATOR, gate, github, **settings)
            yield Parts(inside, doomed, gate, strict, cloud, itertools.count(1))
    finally:
        structlog.configure(**before)
        session._known.forget()


def _alarm() -> dict[str, Any]:
    """An alarm of another service, which counts by its own state."""
    return {
        "AlarmName": ALARM,
        "Namespace": "Shop",
        "MetricName": "LostCarts",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "Statistic": "Sum",
    }
