"""What a build leaves in a cache mount comes out in no build of others, and not of more trust."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docker.conftest import Quiet
from tests.hostile.gate import PLAIN, Gate, files
from workers.docker import images, litter
from workers.docker.bounds import CACHE_ARGUMENT, Bounds
from workers.docker.engine import Engine
from workers.ledger.model.run import State

pytestmark = pytest.mark.docker


def step(cache: str, command: str) -> str:
    """A step with a cache mount; BuildKit has not done it before."""
    return f"RUN --mount=type=cache,{cache} {command} && : {uuid.uuid4()}\n"


@pytest.fixture
def build(real_engine: Engine, context: Path, python_image: str) -> Callable[..., str]:
    """Builds one step within bounds; what was said."""

    def run(line: str, bounds: str, **args: str) -> str:
        (context / "Dockerfile").write_text(f"FROM {python_image}\n{line}")
        said: list[str] = []
        built = images.build(
            real_engine,
            context,
            "Dockerfile",
            bounds=Bounds("none", bounds),
            args=args,
            labels=litter.labels(f"test-cache-{os.getpid()}", 1),
            timeout=120,
            say=said.append,
            watch=Quiet(),
        )
        images.remove(real_engine, built)
        return "\n".join(said)

    return run


@pytest.mark.parametrize("mount", ["target=/cache", "id=ID,target=/cache", "id=../ID,target=/c"])
def test_a_name_space_is_a_wall(build: Callable[..., str], mount: str):
    """A file is found in the same name space, by the same id, and in no other."""
    cache = mount.replace("ID", str(uuid.uuid4())).replace("/cache", f"/{uuid.uuid4()}")
    where = cache.rpartition("=")[2]
    build(step(cache, f"touch {where}/poison"), "1-review")
    look = f"ls {where} | sed s/^/found-/"
    assert "found-poison" in build(step(cache, look), "1-review"), "the attempt strikes"
    for other in ("1-deploy", "2-review", "11-review", "local"):
        assert "found-poison" not in build(step(cache, look), other)


def test_arguments_do_not_choose_the_name_space(build: Callable[..., str]):
    """The repository's own argument of that name does nothing."""
    cache = f"target=/{uuid.uuid4()}"
    where = cache.rpartition("=")[2]
    build(step(cache, f"touch {where}/poison"), "1-deploy")
    look = step(cache, f"ls {where} | sed s/^/found-/")
    said = build(look, "1-review", **{CACHE_ARGUMENT: "1-deploy"})
    assert "found-poison" not in said
    assert "found-poison" in build(look, "1-deploy"), "it was there"


def test_a_pull_request_leaves_nothing_for_deploys_and_neighbours(gate: Gate):
    """Its file comes out in the next pull request of the same repository alone."""
    inside = gate.make()
    where = f"/{uuid.uuid4()}"

    def tree(command: str) -> dict:
        return files(
            dockerfile=PLAIN + step(f"target={where}", command),
            build=f'args = {{ {CACHE_ARGUMENT} = "1-deploy" }}',
        )

    one, two = gate.repository("one"), gate.repository("two")
    look = f"ls {where} | sed s/^/found-/"
    theirs = tree(look)
    # A function belongs to one repository.
    theirs["slipway.toml"] = theirs["slipway.toml"].replace("TownOne", "TownTwo")
    assert gate.proposed(inside, one, tree(f"touch {where}/poison")).state is State.SUCCEEDED
    runs = {
        "neighbour": gate.pushed(inside, two, theirs),
        "deploy": gate.pushed(inside, one, tree(look)),
        "again": gate.proposed(inside, one, tree(look) | {"again": "1"}),
    }
    assert {run.state for run in runs.values()} == {State.SUCCEEDED}
    found = {name: "found-poison" in inside.log(run.id) for name, run in runs.items()}
    assert found == {"neighbour": False, "deploy": False, "again": True}
