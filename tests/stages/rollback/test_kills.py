"""kill -9 in the middle of a rollback, and AWS that fails there: all functions, or none."""

import pytest

from tests.stages.rollback.conftest import A, B
from workers.ledger import MAX_LOSSES, keys
from workers.ledger.model.run import State


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("function", "moved"), [(A, ()), (A, (B,)), (B, (A,))])
def test_a_killed_rollback_is_finished(harbour, function, moved, after):
    """Its successor moves the rest; history and hold are as if nothing had happened."""
    first, second = harbour.deployed(), harbour.deployed()
    run_id = harbour.accept_back(first.order.commit)
    holds = [harbour.strict.hold("UpdateAlias", function, after=after)]
    if not moved:
        holds.append(harbour.strict.hold("UpdateAlias", B))
    harbour.kill(run_id, *holds, moved=moved)
    live = {name for name in (A, B) if harbour.alias(name) == first.order.commit}
    assert live == {*moved, *([function] if after else [])}, "the kill has missed it"
    run = harbour.ended(run_id)
    assert (run.state, run.losses) == (State.SUCCEEDED, 1)
    assert harbour.live() == (first.order.commit,) * 2
    rows = [row for row in harbour.releases() if row["run"] == run_id]
    assert sorted(row["function"] for row in rows) == sorted([A, B])
    assert {row["rollback"]["from"] for row in rows} == {second.order.commit}
    assert harbour.inside.shop.ledger.locks.of("production").run == run_id


def test_a_killed_rollback_that_is_cancelled_goes_back(harbour):
    """Who cancels it after it has moved one function gets both as they were."""
    first, second = harbour.deployed(), harbour.deployed()
    run_id = harbour.accept_back(first.order.commit)
    harbour.kill(run_id, harbour.strict.hold("UpdateAlias", B), moved=(A,))
    assert harbour.alias(B) == second.order.commit
    assert harbour.inside.shop.ledger.cancel(run_id, "cancelled by ada") == "asked"
    assert harbour.ended(run_id).state is State.CANCELLED
    assert harbour.live() == (second.order.commit,) * 2
    assert [row for row in harbour.releases() if row["run"] == run_id] == []


def test_workers_that_die_too_often_leave_nothing_half_moved(harbour, redis):
    """After the usual losses a visit only puts back, and the run ends with the reason."""
    first, second = harbour.deployed(), harbour.deployed()
    run_id = harbour.accept_back(first.order.commit)
    harbour.kill(run_id, harbour.strict.hold("UpdateAlias", B), moved=(A,))
    assert harbour.alias(A) == first.order.commit, "the kill has missed it"
    redis.hset(f"{keys.RUN}{run_id}", "losses", MAX_LOSSES)
    run = harbour.ended(run_id)
    assert (run.state, run.fault, run.losses) == (State.FAILED, "ours", MAX_LOSSES + 1)
    assert "the worker was lost 4 times" in run.error
    assert harbour.live() == (second.order.commit,) * 2


def test_a_function_that_fails_takes_the_other_back(harbour):
    """The environment stays held: whoever rolled it back wants no push to go live."""
    first, second = harbour.deployed(), harbour.deployed()
    strict = harbour.strict
    hold = strict.hold("UpdateAlias", A)
    strict.fail_next("UpdateAlias", status=403, code="AccessDeniedException")
    with harbour.working():
        run_id = harbour.accept_back(first.order.commit)
        assert hold.reached.wait(20)
        harbour.until(run_id, lambda _: strict.struck["UpdateAlias"] == 1)
        hold.open()
        run = harbour.until_ended(run_id)
    assert run.state is State.FAILED
    assert f"release/{A}] production: back to what it was" in harbour.inside.log(run.id)
    assert harbour.live() == (second.order.commit,) * 2
    assert harbour.inside.shop.ledger.locks.of("production").run == run.id
