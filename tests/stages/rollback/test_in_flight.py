"""What a lost worker had asked of AWS arrives late: after its successors have decided."""

import pytest

from tests.stages.rollback.conftest import A, B
from workers.ledger import MAX_LOSSES, keys
from workers.ledger.codec import stages_text
from workers.ledger.model.run import StageState, State


def test_a_move_on_its_way_does_not_outlive_its_cancelled_run(harbour):
    """The run ends as cancelled, having moved nothing; then the lost worker's move arrives."""
    first = harbour.deployed()
    run_id = harbour.accept(A, B)
    hold = harbour.strict.hold("UpdateAlias", B)
    harbour.lose(run_id, hold, moved=(A,))
    harbour.inside.shop.ledger.cancel(run_id, "cancelled by ada")
    assert harbour.ended(run_id).state is State.CANCELLED
    hold.arrive()
    assert harbour.live() == (first.order.commit,) * 2


def test_a_move_on_its_way_does_not_outlive_its_failed_run(harbour, redis):
    """The same when it is the losses of workers that end the run."""
    first = harbour.deployed()
    run_id = harbour.accept(A, B)
    hold = harbour.strict.hold("UpdateAlias", B)
    harbour.lose(run_id, hold, moved=(A,))
    redis.hset(f"{keys.RUN}{run_id}", "losses", MAX_LOSSES)
    assert harbour.ended(run_id).state is State.FAILED
    hold.arrive()
    assert harbour.live() == (first.order.commit,) * 2


@pytest.mark.parametrize("function", [A, B])
def test_a_move_on_its_way_does_not_undo_a_rollback(harbour, function):
    """A release's worker is lost in its move, and a rollback goes to what is live already."""
    first, second = harbour.deployed(), harbour.deployed()
    run_id = harbour.accept(A, B)
    holds = [harbour.strict.hold("UpdateAlias", name) for name in (A, B)]
    harbour.lose(run_id, *holds)
    back = harbour.accept_back(second.order.commit)
    harbour.visit(back)
    assert harbour.live() == (second.order.commit,) * 2
    for hold in holds:
        if hold.about == function:
            hold.arrive()
    assert harbour.ended(run_id).state is State.CANCELLED
    assert harbour.ended(back).state is State.SUCCEEDED
    for hold in holds:
        hold.arrive()
    assert harbour.live() == (second.order.commit,) * 2
    assert first.order.commit != second.order.commit


def test_a_release_waits_for_what_a_lost_worker_has_begun(harbour):
    """A lease that is over does not give the turn away while aliases are half moved."""
    harbour.deployed()
    older, newer = harbour.accept(A, B), harbour.accept(A, B)
    hold = harbour.strict.hold("UpdateAlias", B)
    harbour.lose(older, hold, moved=(A,))
    assert harbour.visit(newer) == "paused"
    assert f"is being changed by run {older}" in harbour.inside.log(newer)
    assert harbour.ended(older).state is State.SUCCEEDED
    assert harbour.ended(newer).state is State.SUCCEEDED
    hold.arrive()
    assert harbour.live() == (harbour.inside.run(newer).order.commit,) * 2


def test_a_worker_that_slept_while_it_put_back_stops(harbour, redis):
    """It wakes after its successor has gone forward and succeeded, and leaves that alone."""
    harbour.deployed()
    run_id = harbour.accept(A, B)
    moved, failing = (harbour.strict.hold("UpdateAlias", name, after=name == A) for name in (A, B))
    sleeper = harbour.begin(run_id, moved, failing)
    back = harbour.strict.hold("GetAlias", A)
    harbour.strict.fail_next("UpdateAlias", status=403, code="AccessDeniedException")
    failing.open()
    moved.open()
    assert back.reached.wait(20)
    redis.zadd(keys.LEASES, {run_id: 0})
    assert harbour.ended(run_id).state is State.SUCCEEDED
    back.open()
    sleeper.join()
    assert harbour.live() == (harbour.inside.run(run_id).order.commit,) * 2


def _lost_at_its_end(harbour, redis):
    """A run whose worker was lost after all was moved and on record, before the run ended."""
    harbour.deployed()
    run_id = harbour.accept(A, B)
    pipeline = redis.hget(f"{keys.RUN}{run_id}", "pipeline")
    run = harbour.ended(run_id)
    stages = [one.model_copy(update={"state": StageState.SUCCEEDED}) for one in run.stages[:-1]]
    stages.append(
        run.stages[-1].model_copy(update={"state": StageState.RUNNING, "finished_at": None})
    )
    texts = {"state": "running", "stages": stages_text(tuple(stages)), "pipeline": pipeline}
    redis.hset(f"{keys.RUN}{run.id}", mapping=texts)
    redis.hdel(f"{keys.RUN}{run.id}", "finished_at")
    redis.zadd(keys.LEASES, {run.id: 0})
    return run


def test_what_is_on_record_as_live_can_not_be_cancelled(harbour, redis):
    """Aliases, history and verdict agree: it has succeeded, for the cancel came too late."""
    run = _lost_at_its_end(harbour, redis)
    harbour.inside.shop.ledger.cancel(run.id, "cancelled by ada")
    assert harbour.ended(run.id).state is State.SUCCEEDED
    assert harbour.live() == (run.order.commit,) * 2


def test_what_is_on_record_as_live_is_no_longer_taken_back(harbour, redis):
    """Nor is it put back because too many workers were lost, or because a newer one is live."""
    run = _lost_at_its_end(harbour, redis)
    redis.hset(f"{keys.RUN}{run.id}", "losses", MAX_LOSSES)
    newer = harbour.deployed()
    ended = harbour.ended(run.id)
    assert (ended.state, ended.losses) == (State.SUCCEEDED, MAX_LOSSES + 1)
    assert harbour.live() == (newer.order.commit,) * 2
