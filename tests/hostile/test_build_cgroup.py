"""All builds together have the processes and the memory of their parent cgroup on the engine."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from config.server import parse
from config.settings import Settings
from tests.docker.conftest import Quiet
from tests.e2e.conftest import OPERATOR
from workers.docker import images
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.ledger.model.errors import UserError
from workers.process import surroundings
from workers.workshop import Workshop

pytestmark = pytest.mark.docker
CONTROLLERS = Path("/sys/fs/cgroup")
PIDS, MB = 100, 1 << 20
PROCESSES = 200
FORKS = f"""
import os, time
began = 0
try:
    for _ in range({PROCESSES}):
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        began += 1
except OSError:
    pass
print("started", began, flush=True)
"""
TAKES = "kept = [b'x' * (1 << 20) for _ in range(200)]; print('has', len(kept), flush=True)"

Run = Callable[[str, str], str]


def _limited(name: str) -> list[Path]:
    """A cgroup for builds, with few processes and little memory; the folders that it is."""
    if (CONTROLLERS / "cgroup.controllers").exists():
        folders = {CONTROLLERS / name: {"pids.max": PIDS, "memory.max": 128 * MB}}
    else:
        pids = {"pids.max": PIDS}
        memory = {"memory.limit_in_bytes": 128 * MB}
        folders = {CONTROLLERS / "pids" / name: pids, CONTROLLERS / "memory" / name: memory}
    for folder, limits in folders.items():
        folder.mkdir()
        for file, limit in limits.items():
            (folder / file).write_text(str(limit))
    return list(folders)


@pytest.fixture
def parent(real_engine: Engine) -> Iterator[str]:
    """The name of such a cgroup on the engine's machine, which is this one."""
    if real_engine.folder is None:
        pytest.skip("the engine is on another machine")
    name = f"slipway-builds-{os.getpid()}"
    try:
        made = _limited(name)
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    yield f"/{name}"
    for folder in made:
        # What the engine has made below it for each step goes first.
        for below in sorted(folder.rglob("*/"), reverse=True):
            below.rmdir()
        folder.rmdir()


@pytest.fixture
def run(real_engine: Engine, python_image: str, context: Path, labels: dict[str, str]) -> Run:
    """Runs a program in a step of a build, below a cgroup; what it said."""

    def build(program: str, cgroup: str) -> str:
        (context / "greed.py").write_text(program)
        (context / "Dockerfile").write_text(
            f"FROM {python_image}\nARG SEED\nCOPY greed.py /\nRUN python /greed.py\n"
        )
        engine = Engine(real_engine.environment, build_cgroup=cgroup)
        said: list[str] = []
        given: Any = {"args": {"SEED": f"{cgroup}{os.urandom(4).hex()}"}, "labels": labels}
        given |= {"bounds": Bounds("none", "tests"), "say": said.append, "watch": Quiet()}
        images.build(engine, context, "Dockerfile", timeout=90, **given)
        return "\n".join(said)

    return build


def test_processes_of_a_build_stop_at_their_number(run: Run, parent: str, real_engine: Engine):
    """Without the parent all of them start; so they do where the engine ignores it."""
    assert f"started {PROCESSES}" in run(FORKS, "")
    started = int(run(FORKS, parent).rpartition("started ")[2].split()[0])
    assert (0 < started <= PIDS) == real_engine.heeds_build_cgroup(), started


def test_memory_of_a_build_stops_at_its_size(run: Run, parent: str, real_engine: Engine):
    """Without the parent it has what it takes; so it has where the engine ignores it."""
    assert "has 200" in run(TAKES, "")
    if real_engine.heeds_build_cgroup():
        with pytest.raises(UserError, match="137"):
            run(TAKES, parent)
    else:
        assert "has 200" in run(TAKES, parent)


def test_an_operator_learns_that_the_engine_ignores_it(real_engine: Engine, tmp_path: Path):
    """The worker warns at its start, if there is something to warn of."""

    def warned(cgroup: str | None) -> bool:
        settings = Settings(
            config=tmp_path, github_webhook_secrets="a-secret-of-github", build_cgroup=cgroup
        )
        with capture_logs() as events:
            surroundings.tell(Workshop(settings, parse(OPERATOR)))
        return any(event["event"] == "build_cgroup_ignored" for event in events)

    assert not warned(None)
    assert warned("/slipway-builds") != real_engine.heeds_build_cgroup()
