"""A worker that is asked to end gives its work back; the next one goes on."""

import time

import pytest

from tests.e2e.conftest import PIPELINE, small

pytestmark = pytest.mark.e2e
SLOW = PIPELINE.replace("import index", "import index, time, os; time.sleep({seconds})")


def test_a_stopped_worker_hands_its_run_back(world):
    """SIGTERM in the middle of a check: the worker ends soon, and no loss is counted."""
    commit = world.push(small(slipway__toml=SLOW.format(seconds=8)))
    run = world.run_of(commit)
    deadline = time.monotonic() + 30
    while world.slipway.run(run["id"])["stages"][1]["state"] != "running":
        assert time.monotonic() < deadline, world.story(run)
        time.sleep(0.1)
    time.sleep(2)
    worker = world.slipway.processes["worker"]
    started = time.monotonic()
    worker.stop(grace=30)
    assert time.monotonic() - started < 6
    assert worker.exit_code == 0
    waiting = world.slipway.run(run["id"])
    assert (waiting["state"], waiting["stages"][1]["state"]) == ("queued", "pending")
    world.slipway.start("worker")
    ended = world.ended(commit)
    assert ended["state"] == "succeeded", world.story(ended)
