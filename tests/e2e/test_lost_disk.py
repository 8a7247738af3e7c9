"""Redis loses its disk while a run is at work: GitHub does not show it as pending for ever."""

import time

import pytest

from tests.e2e.conftest import REPOSITORY, small
from tests.e2e.town import until

pytestmark = [pytest.mark.e2e, pytest.mark.slipway(SLIPWAY_POLL_SECONDS="3")]
DEPLOY = "slipway/deploy/sandbox"


def test_what_was_pending_when_redis_lost_its_disk_comes_to_an_end(world, redis):
    """Nobody knows the run any more; the poll finds its status, and a new run settles it."""
    world.slipway.processes["worker"].kill()
    fault = world.github.fail_next(
        "GET", f"^/repos/{REPOSITORY}/commits/.*/status", times=999, status=502
    )
    fault_seen = fault.struck
    commit = world.push(small())
    lost = world.run_of(commit)["id"]
    url = f"{world.slipway.url}/runs/{lost}"
    world.github.add_status(REPOSITORY, commit, "pending", DEPLOY, "Testing", url)
    redis.flushall()
    # While the poll can't ask for statuses, nobody settles them.
    world.slipway.start("worker")
    until(
        lambda: next((f for f in world.github.faults if f.struck > fault_seen), None),
        30,
        "the poll asks for no statuses",
    )
    time.sleep(2)
    assert world.statuses(commit) == {DEPLOY: "pending"}
    assert not world.slipway.runs(commit=commit)
    world.github.clear_faults()
    run = world.ended(commit)
    assert run["id"] != lost
    assert run["state"] == "succeeded", world.story(run)
    assert world.statuses(commit) == {DEPLOY: "success"}
    assert world.alias() == "1"
