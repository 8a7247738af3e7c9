"""A gradual release and everybody else: newer commits, other environments, people, old ways."""

import pytest

from config import server
from tests.stages.gradual.conftest import A, B
from workers.ledger.model.run import Release, State
from workers.workshop import Workshop

LONG = {"strategy": "canary-10-percent-10-minutes"}


def test_a_newer_commit_waits_its_turn(lane):
    """One canary at a time: the second push waits without a worker, then it goes its own way."""
    first = lane.begin(A, B, text="two")
    lane.at(first, 10)
    second = lane.begin(A, B, text="three")
    assert lane.visit(second) == "waiting"
    run = lane.inside.run(second)
    assert run.rollout is None
    waits = f"Waiting for run {first[:8]}, whose gradual release is under way"
    assert lane.inside.stage(second, "release") == waits
    assert lane.alias(A) == ("1", {"2": 0.1})
    assert lane.ended(first).state is State.SUCCEEDED
    lane.at(second, 10)
    assert lane.alias(A) == lane.alias(B) == ("2", {"3": 0.1})
    assert lane.ended(second).state is State.SUCCEEDED
    assert lane.alias(A) == lane.alias(B) == ("3", {})


@pytest.mark.lane(**LONG)
def test_of_those_that_wait_only_the_newest_goes_on(lane):
    """A run that waits for its turn gives way to a newer commit that is as ready as it is."""
    first = lane.begin(A, text="two")
    lane.at(first, 10)
    second = lane.begin(A, text="three")
    lane.visit(second)
    third = lane.begin(A, text="four")
    lane.visit(third)
    run = lane.ended(second)
    assert run.state is State.SUPERSEDED
    assert "is ready to be released" in run.error
    assert third in run.error
    assert lane.inside.run(third).state is State.WAITING
    assert lane.inside.run(first).state is State.WAITING
    assert lane.alias(A) == ("1", {"2": 0.1})


def test_an_older_commit_that_comes_late_is_superseded(lane):
    """It waits for the canary of the newer commit, and then there is nothing left for it."""
    older = lane.commit("two")
    newer = lane.begin(A, text="three")
    lane.at(newer, 10)
    late = lane.accept(older, [release(A, lane.publish(A, older))], "master")
    assert lane.visit(late) == "waiting"
    lane.ended(newer)
    run = lane.ended(late)
    assert run.state is State.SUPERSEDED, run.error
    assert lane.alias(A) == ("2", {})


@pytest.mark.lane(**LONG)
def test_what_moves_at_once_waits_too(lane):
    """When the operator does without steps from now on, a canary under way is not run over."""
    first = lane.begin(A, text="two")
    lane.at(first, 10)
    file = lane.inside.shop.settings.config
    file.write_text(file.read_text().replace(LONG["strategy"], "all-at-once"))
    lane.inside.shop = Workshop(lane.inside.shop.settings, server.load(file))
    other = lane.begin(A, text="three")
    assert lane.visit(other) == "waiting"
    lane.inside.call(f"/runs/{first}/cancel")
    lane.ended(first)
    run = lane.ended(other)
    assert run.state is State.SUCCEEDED, run.error
    assert lane.alias(A) == ("3", {})


def test_a_waiting_run_is_cancelled_at_once(lane):
    """A run that waits for its turn has nothing to put back."""
    first = lane.begin(A, text="two")
    lane.at(first, 10)
    second = lane.begin(A, text="three")
    lane.visit(second)
    assert lane.inside.call(f"/runs/{second}/cancel") == (202, {"state": "cancelled"})
    assert lane.inside.run(second).state is State.CANCELLED
    assert lane.ended(first).state is State.SUCCEEDED


@pytest.mark.parametrize(
    ("by_hand", "weights", "told"),
    [
        ("2", {}, "runs version 2"),
        ("1", {}, "runs version 1"),
        ("1", {"v3": 0.5}, "runs version 1, 50% to version 3"),
        ("3", {}, "runs version 3"),
    ],
)
@pytest.mark.lane(strategy="linear-40-percent-every-1-second")
def test_an_alias_moved_by_hand_stops_it(lane, by_hand, weights, told):
    """The run names it, puts back only what is still its own, and ends as the operator's turn."""
    lane.publish(A, "f" * 40)
    run_id = lane.begin(A, B, text="two")
    lane.at(run_id, 40)
    lane.live(A, by_hand, **weights)
    found = lane.alias(A)
    run = lane.ended(run_id)
    assert (run.state, run.fault) == (State.FAILED, "ours")
    assert run.error.startswith(f"somebody else changed StoreList:production: it {told}")
    assert lane.alias(A) == found
    assert lane.alias(B) == ("1", {})


@pytest.mark.lane(strategy="linear-40-percent-every-1-second")
def test_an_alias_that_is_deleted_stops_it(lane):
    """An alias that is gone between two steps is not made again."""
    run_id = lane.begin(A, B, text="two")
    lane.at(run_id, 40)
    lane.cloud.client("lambda").delete_alias(FunctionName=A, Name="production")
    run = lane.ended(run_id)
    assert (run.state, run.fault) == (State.FAILED, "ours")
    assert "somebody else changed StoreList:production: it is gone" in run.error
    assert (lane.alias(A), lane.alias(B)) == (None, ("1", {}))


def test_shares_of_an_abandoned_canary_go(lane):
    """What somebody left on the alias is replaced by the first step, and gone after the last."""
    third = lane.publish(A, "f" * 40)
    lane.live(A, "1", **{f"v{third}": 0.3})
    run_id = lane.begin(A, text="two")
    version = lane.inside.run(run_id).releases[0].version
    lane.at(run_id, 10)
    assert lane.alias(A) == ("1", {version: 0.1})
    assert lane.ended(run_id).state is State.SUCCEEDED
    assert lane.alias(A) == (version, {})


@pytest.mark.lane(**LONG)
def test_shares_of_an_abandoned_canary_do_not_come_back(lane):
    """Put back is the version before, with empty weights."""
    third = lane.publish(A, "f" * 40)
    lane.live(A, "1", **{f"v{third}": 0.3})
    run_id = lane.begin(A, text="two")
    lane.at(run_id, 10)
    lane.inside.call(f"/runs/{run_id}/cancel")
    assert lane.ended(run_id).state is State.CANCELLED
    assert lane.alias(A) == ("1", {})


@pytest.mark.lane(**LONG)
def test_a_new_function_moves_at_once_and_goes_again(lane):
    """Without an alias there is nothing to share with: it is made, and removed if all go back."""
    lane.function("StoreNew")
    run_id = lane.begin(A, "StoreNew", text="two")
    lane.at(run_id, 10)
    assert (lane.alias(A), lane.alias("StoreNew")) == (("1", {"2": 0.1}), ("1", {}))
    assert "there is no production yet: it moves at once" in lane.inside.log(run_id)
    lane.inside.call(f"/runs/{run_id}/cancel")
    assert lane.ended(run_id).state is State.CANCELLED
    assert (lane.alias(A), lane.alias("StoreNew")) == (("1", {}), None)


def test_where_nothing_can_be_shared_all_moves_at_once(lane):
    """A first release takes no steps, and says why."""
    lane.function("StoreNew")
    run_id = lane.begin("StoreNew", text="two")
    lane.visit(run_id)
    run = lane.inside.run(run_id)
    assert (run.state, run.rollout) == (State.SUCCEEDED, None)
    assert lane.alias("StoreNew") == ("1", {})
    assert "it moves at once" in lane.inside.log(run_id)


def test_what_has_not_changed_takes_no_steps(lane):
    """The same version again is no release: no step, no call that writes, no wait."""
    commit = lane.commit("two")
    run_id = lane.accept(commit, [release(A, "1")], "master")
    lane.visit(run_id)
    assert lane.inside.run(run_id).state is State.SUCCEEDED
    assert lane.writes() == []
    assert "production runs version 1 already: it moves at once" in lane.inside.log(run_id)


def release(function, version):
    """A published version."""
    return Release(function=function, version=version)
