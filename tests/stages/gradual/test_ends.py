"""However a gradual release is cut short, every alias is whole afterwards and it is said."""

import threading
import time

import pytest

from tests.stages.gradual.conftest import A, B
from workers.ledger import keys
from workers.ledger.model.run import State

LONG = pytest.mark.lane(strategy="canary-10-percent-10-minutes")


def assert_back(lane, run):
    """Both functions run what they ran before, with empty weights."""
    assert lane.alias(A) == lane.alias(B) == ("1", {}), lane.inside.log(run.id)
    assert (run.rollout.state, run.unfinished) == ("undone", False)


@LONG
def test_a_cancelled_canary_goes_back_first(lane):
    """It waits without a worker, so it is woken, put back, and only then cancelled."""
    run_id = lane.begin(A, B, text="two")
    lane.at(run_id, 10)
    assert lane.inside.call(f"/runs/{run_id}/cancel") == (202, {"state": "asked"})
    assert lane.inside.run(run_id).state is State.WAITING
    assert lane.inside.advance(run_id) == "cancelled", "nobody woke it"
    run = lane.inside.run(run_id)
    assert run.error == "cancelled by alice; production runs what it ran before"
    assert_back(lane, run)


@LONG
def test_a_cancel_while_it_is_looked_at_is_not_lost(lane):
    """Cancelled while a worker has it, it is due at once and not at the next step."""
    run_id = lane.begin(A, B, text="two")
    hold = lane.strict.hold("UpdateAlias", B, after=True)
    thread = threading.Thread(target=lane.visit, args=[run_id])
    thread.start()
    assert hold.reached.wait(20)
    assert lane.inside.call(f"/runs/{run_id}/cancel") == (202, {"state": "asked"})
    hold.open()
    thread.join()
    if not lane.inside.run(run_id).state.final:
        lane.inside.advance(run_id)
    run = lane.inside.run(run_id)
    assert run.state is State.CANCELLED
    assert_back(lane, run)


@LONG
def test_one_function_that_can_not_step_takes_all_back(lane):
    """AWS refuses one of two: the other one goes back too, and the run says why."""
    lane.strict.fail_next("UpdateAlias", status=400, code="InvalidParameterValueException")
    run = lane.ended(lane.begin(A, B, text="two"))
    assert lane.strict.struck["UpdateAlias"] == 1
    assert (run.state, run.fault) == (State.FAILED, "ours")
    assert "moving the alias production: AWS refused it" in run.error
    assert_back(lane, run)


def test_one_function_that_can_not_finish_takes_all_back(lane):
    """In the last step, too: the one that has moved whole goes back to the version before."""
    run_id = lane.begin(A, B, text="two")
    lane.at(run_id, 10)
    hold = lane.strict.hold("UpdateAlias", B)
    thread = threading.Thread(target=lane.ended, args=[run_id])
    thread.start()
    assert hold.reached.wait(20)
    # Both are asked for at the same time.
    deadline = time.monotonic() + 20
    while lane.alias(A) != ("2", {}):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    lane.strict.fail_next("UpdateAlias", status=400, code="InvalidParameterValueException")
    hold.open()
    thread.join()
    run = lane.inside.run(run_id)
    assert (run.state, run.fault) == (State.FAILED, "ours")
    assert_back(lane, run)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.lane(strategy="linear-40-percent-every-1-second", lease_seconds=1)
def test_a_killed_step_is_finished_by_a_successor(lane, step, after):
    """Killed before or after one of two aliases moved, no share is skipped, repeated or early."""
    run_id = lane.begin(A, B, text="two")
    if step > 1:
        lane.at(run_id, 40 * (step - 1))
        lane.due(run_id)
    lane.kill(run_id, lane.strict.hold("UpdateAlias", B, after=after))
    before = lane.inside.run(run_id)
    assert (before.rollout.step, before.rollout.since) == (step, None)
    run = lane.ended(run_id)
    assert run.state is State.SUCCEEDED, lane.inside.log(run_id)
    assert run.losses == 1, "the kill has missed it"
    assert lane.alias(A) == lane.alias(B) == ("2", {})
    assert lane.shares(A) == lane.shares(B) == [0.4, 0.8, None]
    assert run.finished_at - run.rollout.began >= (2000 if step == 1 else 1000)


@LONG
@pytest.mark.lane(strategy="canary-10-percent-10-minutes", lease_seconds=1)
def test_a_killed_undoing_is_finished_by_a_successor(lane):
    """A worker that dies while it puts things back leaves the rest to the next, and the verdict."""
    run_id = lane.begin(A, B, text="two")
    lane.at(run_id, 10)
    lane.inside.call(f"/runs/{run_id}/cancel")
    lane.kill(run_id, lane.strict.hold("UpdateAlias", A))
    run = lane.ended(run_id)
    assert (run.state, run.losses) == (State.CANCELLED, 1)
    assert_back(lane, run)


@LONG
@pytest.mark.lane(strategy="canary-10-percent-10-minutes", lease_seconds=1)
def test_a_run_that_kills_its_workers_is_put_back(lane):
    """After too many losses its shares are not left behind: it gets visits that only undo."""
    run_id = lane.begin(A, B, text="two")
    lane.at(run_id, 10)
    for loss in range(1, 5):
        lane.inside.redis.hset(f"{keys.RUN}{run_id}", mapping={"state": "running", "losses": loss})
    lane.inside.redis.zadd(keys.LEASES, {run_id: 0})
    run = lane.ended(run_id)
    assert (run.state, run.fault) == (State.FAILED, "ours")
    assert "the worker was lost 5 times in this run; production runs what it ran" in run.error
    assert_back(lane, run)


@LONG
@pytest.mark.lane(strategy="canary-10-percent-10-minutes", retries=1)
def test_aws_out_of_reach_holds_the_undoing(lane):
    """What can't be put back now is tried again, and the run does not end before."""
    run_id = lane.begin(A, B, text="two")
    lane.at(run_id, 10)
    lane.inside.call(f"/runs/{run_id}/cancel")
    lane.strict.shut.add(B)
    lane.visit(run_id)
    run = lane.inside.run(run_id)
    assert run.state is State.WAITING
    assert lane.strict.turned_away > 0
    assert lane.inside.stage(run_id, "release").startswith("Putting production back: ")
    assert (lane.alias(A), lane.alias(B)) == (("1", {}), ("1", {"2": 0.1}))
    lane.strict.shut.clear()
    run = lane.ended(run_id)
    assert run.state is State.CANCELLED
    assert_back(lane, run)


@pytest.mark.lane(retries=1)
def test_a_step_that_can_not_be_taken_for_long_is_put_back(lane):
    """When the tries are used up, the release ends as it began."""
    run_id = lane.begin(A, B, text="two")
    lane.at(run_id, 10)
    # Two visits, two functions asked at the same time, five tries each.
    lane.strict.fail_next("GetAlias", times=20, status=503, code="ServiceException")
    run = lane.ended(run_id)
    assert (run.state, run.fault) == (State.FAILED, "ours")
    assert lane.strict.struck["GetAlias"] == 20
    assert_back(lane, run)
