"""kill -9 in the middle of a rollback, and AWS that fails there: all functions, or none."""

import pytest

from tests.stages.rollback.conftest import A, B
from workers.run import State


@pytest.mark.parametrize("function", [A, B])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_killed_rollback_is_finished(harbour, function, after):
    """Its successor moves the rest; history and hold are as if nothing had happened."""
    first, second = harbour.deployed(), harbour.deployed()
    run_id = harbour.accept_back(first.order.commit)
    harbour.kill(run_id, harbour.strict.hold("UpdateAlias", function, after=after))
    moved = [harbour.alias(A) == first.order.commit, harbour.alias(B) == first.order.commit]
    assert moved == [function == B or after, function == B and after]
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
    harbour.kill(run_id, harbour.strict.hold("UpdateAlias", B))
    assert harbour.alias(A) == first.order.commit
    assert harbour.inside.shop.ledger.cancel(run_id, "cancelled by ada") == "asked"
    assert harbour.ended(run_id).state is State.CANCELLED
    assert harbour.live() == (second.order.commit,) * 2
    assert [row for row in harbour.releases() if row["run"] == run_id] == []


def test_a_function_that_fails_takes_the_other_back(harbour):
    """The environment stays held: whoever rolled it back wants no push to go live."""
    first, second = harbour.deployed(), harbour.deployed()
    strict = harbour.strict
    denied = {"status": 403, "code": "AccessDeniedException"}

    def then() -> None:
        strict.meanwhile("GetAlias", lambda: strict.fail_next("UpdateAlias", **denied))

    strict.meanwhile("UpdateAlias", then)
    run = harbour.ended(harbour.accept_back(first.order.commit))
    assert strict.struck["UpdateAlias"] == 1
    assert run.state is State.FAILED
    assert f"release/{A}] production: back to what it was" in harbour.inside.log(run.id)
    assert harbour.live() == (second.order.commit,) * 2
    assert harbour.inside.shop.ledger.locks.of("production").run == run.id
