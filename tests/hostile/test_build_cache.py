"""BuildKit's cache grows with every build, until the sweep brings it down to its size."""

from pathlib import Path
from typing import Any

import pytest

from tests.docker.conftest import Quiet
from workers.docker import images, litter
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine

pytestmark = pytest.mark.docker
MB = 1 << 20
TAKES = "RUN head -c {0} /dev/urandom > /filled # {1}"


def kept(engine: Engine) -> int:
    """Bytes of the cache."""
    rows: list[dict[str, Any]] = engine.client.df()["BuildCache"] or []
    return sum(row["Size"] for row in rows if not row["Shared"])


def test_the_cache_is_brought_down_to_its_size(
    real_engine: Engine, python_image: str, context: Path, labels: dict[str, str]
):
    """What removed images leave stays as cache until it is pruned; the newest of it is kept."""
    for number in range(4):
        step = TAKES.format(20 * MB, number)
        (context / "Dockerfile").write_text(f"FROM {python_image}\n{step}\n")
        given: Any = {"args": {}, "labels": labels, "timeout": 90, "say": print}
        bounds = Bounds("none", "tests")
        built = images.build(
            real_engine, context, "Dockerfile", bounds=bounds, watch=Quiet(), **given
        )
        images.remove(real_engine, built)
    assert kept(real_engine) > 75 * MB
    assert litter.prune_cache(real_engine, 1 << 40) == 0
    assert kept(real_engine) > 75 * MB, "there is room for all of it"
    gone = litter.prune_cache(real_engine, 50 * MB)
    assert gone > 20 * MB
    assert kept(real_engine) <= 50 * MB
