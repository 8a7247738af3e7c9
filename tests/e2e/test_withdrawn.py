"""What was taken off its branch while it was under test does not go live."""

import time

import pytest

from tests.e2e.conftest import PIPELINE, REPOSITORY, small

pytestmark = pytest.mark.e2e
SLOW = PIPELINE.replace("import index", "import index, time; time.sleep(7)")


def in_test(world, commit):
    """Wait until the checks of a commit are under way; the run's id."""
    run, end = world.run_of(commit), time.monotonic() + 60
    while {s["name"]: s["state"] for s in run["stages"]}["test"] != "running":
        assert time.monotonic() < end, world.story(run)
        time.sleep(0.1)
        run = world.slipway.run(run["id"])
    return run["id"]


@pytest.mark.parametrize("told", [True, False])
def test_a_commit_that_was_withdrawn_under_test_does_not_go_live(world, told):
    """The branch is reset to what is live, with and without a webhook that tells."""
    good = world.push(small())
    world.ended(good)
    before = world.alias()
    assert before
    bad = world.push(small(slipway__toml=SLOW, index__py="NUMBER = 1\n"))
    in_test(world, bad)
    world.github.set_branch(REPOSITORY, "develop", good)
    if told:
        world.github.push_event(REPOSITORY, "develop")
    run = world.ended(bad)
    assert run["state"] == "superseded", world.story(run)
    assert good[:7] in run["error"]
    assert world.alias() == before
    assert world.statuses(bad)["slipway/deploy/sandbox"] == "error"
