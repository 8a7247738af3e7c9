"""A newer commit takes the place of older ones, between stages and before they deploy."""

import time

import pytest

from tests.e2e.conftest import PIPELINE, REPOSITORY, small

pytestmark = pytest.mark.e2e
SLOW = PIPELINE.replace("import index", "import index, time; time.sleep(4)")


def slow(number):
    """A repository whose check takes a while; each number is another commit."""
    return small(slipway__toml=SLOW, index__py=f"NUMBER = {number}\n")


def wait_for(world, commit, stage, state="running"):
    """Wait until a stage of the commit's run is in a state."""
    deadline = time.monotonic() + 60
    run = world.run_of(commit)
    while {s["name"]: s["state"] for s in run["stages"]}[stage] != state:
        assert time.monotonic() < deadline, world.story(run)
        time.sleep(0.1)
        run = world.slipway.run(run["id"])


def test_a_burst_of_pushes_costs_one_run_in_progress_and_the_last(world):
    """The one in progress ends after its stage, those between do no work, the last one is live."""
    first = world.push(slow(0))
    wait_for(world, first, "test")
    between = [world.push(slow(number)) for number in (1, 2)]
    last = world.push(slow(3))
    assert world.ended(last)["state"] == "succeeded"
    for commit in (first, *between):
        run = world.ended(commit)
        assert run["state"] == "superseded", world.story(run)
        assert "newer commit" in run["error"]
        assert set(world.statuses(commit).values()) <= {"success", "error"}
    began = {s["name"]: s["started_at"] for s in world.run_of(between[0])["stages"]}
    assert began["build"] is None
    assert [v["Description"] for v in world.aws.versions("MoviesLoader")] == [last]


def test_an_outdated_check_of_a_pull_request_stops(world):
    """A new commit on the pull request's branch ends the check of its former head."""
    world.github.commit(REPOSITORY, "develop", small(), "Base")
    old = world.github.commit(REPOSITORY, "feature", slow(1), "Old", parents=None)
    pull = world.github.open_pull_request(REPOSITORY, "feature", "develop")
    wait_for(world, old, "test")
    new = world.github.commit(REPOSITORY, "feature", slow(2), "New")
    world.github.synchronize(pull)
    assert world.ended(new)["state"] == "succeeded"
    assert world.ended(old)["state"] == "superseded"
