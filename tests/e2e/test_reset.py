"""A branch is reset: what it has again is run again, and its status tells what is live."""

import time

import pytest

from tests.e2e.conftest import PIPELINE, REPOSITORY, small

pytestmark = pytest.mark.e2e
SLOW = PIPELINE.replace("import index", "import index, time; time.sleep(7)")
CHECKED = {"slipway/test": "success", "slipway/build": "success"}


def slow(number):
    """A repository whose check takes a while; each number is another commit."""
    return small(slipway__toml=SLOW, index__py=f"NUMBER = {number}\n")


def in_test(world, commit):
    """Wait until the commit is under test."""
    run, end = world.run_of(commit), time.monotonic() + 60
    while {s["name"]: s["state"] for s in run["stages"]}["test"] != "running":
        assert time.monotonic() < end, world.story(run)
        time.sleep(0.1)
        run = world.slipway.run(run["id"])


def reset(world, branch, commit):
    """Point the branch to a commit, as a force-push does, and tell Slipway."""
    world.github.set_branch(REPOSITORY, branch, commit)
    world.github.push_event(REPOSITORY, branch)


def live(world):
    """The commit that the alias runs."""
    versions = {v["Version"]: v["Description"] for v in world.aws.versions("MoviesLoader")}
    return versions[world.alias()]


def assert_live(world, commit):
    """It is live within a while, and its status says so."""
    end = time.monotonic() + 60
    while live(world) != commit or set(world.statuses(commit).values()) != {"success"}:
        assert time.monotonic() < end, (live(world), world.statuses(commit))
        time.sleep(0.2)


def test_the_head_after_a_reset_is_what_goes_live(world):
    """Its first run was superseded by what has been taken off the branch since."""
    world.ended(world.push(small()))
    wanted = world.push(slow(1))
    in_test(world, wanted)
    other = world.push(slow(2))
    assert world.ended(wanted)["state"] == "superseded"
    reset(world, "develop", wanted)
    world.ended(other)
    assert_live(world, wanted)


def test_a_run_under_way_is_not_given_up_for_what_was_taken_off(world):
    """The branch comes back to a commit before that has heard of the newer one."""
    world.ended(world.push(small()))
    wanted = world.push(slow(1))
    in_test(world, wanted)
    other = world.push(slow(2))
    reset(world, "develop", wanted)
    assert world.ended(wanted)["state"] == "succeeded"
    assert world.ended(other)["state"] != "succeeded"
    assert_live(world, wanted)
    assert len(world.slipway.runs(commit=wanted)) == 1


def test_a_reset_to_what_was_live_brings_it_back(world):
    """The same version as before, for nothing is built or published anew."""
    good, bad = world.push(small()), None
    assert world.ended(good)["state"] == "succeeded"
    bad = world.push(small(index__py="NUMBER = 1\n"))
    assert world.ended(bad)["state"] == "succeeded"
    assert live(world) == bad
    reset(world, "develop", good)
    assert_live(world, good)
    (again, first) = world.slipway.runs(commit=good)
    assert again["releases"][0]["version"] == first["releases"][0]["version"]
    assert f"develop was reset to {good[:7]}" in world.slipway.log(again["id"])


def test_a_pull_request_that_was_reset_is_checked(world):
    """Its head's check was superseded by that of a commit which has been taken off."""
    world.github.commit(REPOSITORY, "develop", small(), "Base")
    wanted = world.github.commit(REPOSITORY, "feature", slow(1), "A", parents=None)
    pull = world.github.open_pull_request(REPOSITORY, "feature", "develop")
    in_test(world, wanted)
    other = world.github.commit(REPOSITORY, "feature", slow(2), "B")
    world.github.synchronize(pull)
    assert world.ended(wanted)["state"] == "superseded"
    world.github.set_branch(REPOSITORY, "feature", wanted)
    world.github.synchronize(pull)
    world.ended(other)
    assert world.ended(wanted)["state"] == "succeeded"
    assert world.statuses(wanted) == CHECKED
    world.github.close(pull)
    world.github.reopen(pull)
    assert len(world.slipway.runs(commit=wanted)) == 2, "what has passed is not checked again"


def test_a_good_commit_is_not_given_up_for_one_that_has_failed(world):
    """What comes after it failed first, so it goes live itself."""
    world.ended(world.push(small()))
    good = world.push(slow(3))
    in_test(world, good)
    broken = world.push(small(slipway__toml="this is = not toml ]"))
    assert world.ended(broken)["state"] == "failed"
    assert world.ended(good)["state"] == "succeeded"
    assert live(world) == good
