"""A build whose worker is killed leaves nothing in the temporary folder or the data folder."""

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import BUCKET, FUNCTION, REPOSITORY, World, github, slipway, small
from tests.e2e.town import until
from tests.stand_ins.slipway import SECRET

__all__ = ["github", "slipway"]
pytestmark = [pytest.mark.e2e, pytest.mark.docker]
SLOW = "FROM python:3.11-slim\nRUN echo begun; sleep 600\nWORKDIR /app\nCOPY index.py ./\n"


def found(folder: Path) -> set[str]:
    """All that is in a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_killed_build_leaves_nothing(github, aws, slipway, tmp_path):
    """Every process of the worker's pool gets SIGKILL in the middle of a build."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    slipway.environment["TMPDIR"] = str(temporary)
    aws.create_bucket(BUCKET)
    aws.create_function(FUNCTION)
    github.add_hook(REPOSITORY, f"{slipway.url}/webhooks/github", SECRET)
    slipway.start()
    world, data = World(github, aws, slipway), slipway.folder / "data"
    worker = slipway.processes["worker"]
    until(lambda: "ready" in worker.tail(), 60, worker.tail)
    calm = found(temporary)
    commit = world.push(small(Dockerfile=SLOW))
    run = world.run_of(commit)
    until(lambda: "begun" in slipway.log(run["id"]), 90, lambda: world.story(run))
    assert list((data / "workspaces").iterdir()), "there is nothing to leave behind"
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    for one in children:
        os.kill(int(one), signal.SIGKILL)
    left = found(data / "workspaces")
    assert any("/slipway-build-" in name for name in left), "the kill leaves nothing: no attempt"
    cancelled = slipway._http.post(f"{slipway.url}/api/v1/runs/{run['id']}/cancel", timeout=10)
    assert cancelled.status_code == 202
    world.ended(commit)
    until(
        lambda: not list((data / "workspaces").iterdir()),
        30,
        lambda: str(list((data / "workspaces").iterdir())),
    )
    kept = {name.partition("/")[0] for name in found(data)}
    assert kept <= {"workspaces", "mirrors", "logs", "secret-key", "authorities.pem"}
    assert not [name for name in found(data / "logs") if run["id"] in name]
    assert found(temporary) <= calm
