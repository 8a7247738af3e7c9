"""While an environment is locked, runs wait before their aliases move; without a worker."""

import time

import pytest

from tests.stages.rollback.conftest import ENVIRONMENT, A, B
from workers.ledger import Refusal
from workers.ledger.model.run import StageState, State


def test_held_after_a_rollback_until_unlocked(harbour):
    """A push is published and waits, visibly; unlocking releases it at once."""
    first, _ = harbour.deployed(), harbour.deployed()
    harbour.rolled_back(first.order.commit, reason="cart is empty")
    run = harbour.held(harbour.accept(A, B))
    assert run.stages[0].state is StageState.SUCCEEDED
    why = f"Held: production was rolled back to {first.order.commit[:7]} by alice"
    assert run.stages[-1].summary == f"{why}, because: cart is empty"
    assert harbour.live() == (first.order.commit,) * 2
    taken = harbour.inside.shop.ledger.lease(run.id, "w", "n", seconds=5, capacity=9)
    assert taken == Refusal("early")

    status, answer = harbour.call("unlock", "bob", reason="mended")
    assert status == 200
    assert [one["run_id"] for one in answer["runs"]] == [run.id]
    assert harbour.inside.advance(run.id) == "succeeded"
    assert harbour.live() == (run.order.commit,) * 2
    assert "bob unlocked production, because: mended" in harbour.inside.log(run.id)


def test_only_the_newest_stays_held(harbour):
    """An older one ends as superseded and names its successor; one that comes late ends, too."""
    older, newest = harbour.commit(), harbour.commit()
    oldest = harbour.deployed().order.commit
    assert harbour.call("lock", reason="freeze")[0] == 200
    first = harbour.held(harbour.accept(A, B))
    second = harbour.held(harbour.accept(A, B))
    replaced = harbour.inside.run(first.id)
    assert replaced.state is State.SUPERSEDED
    assert second.id in replaced.error
    late = harbour.ended(harbour.accept(A, B, commit=newest))
    assert (late.state, older) == (State.SUPERSEDED, older)
    assert harbour.inside.run(second.id).held
    assert harbour.live() == (oldest, oldest)


def test_each_repository_has_its_own_held_run(harbour):
    """A lock is of the whole environment; unlocking offers the newest of each repository."""
    harbour.call("lock", reason="freeze")
    runs = {
        harbour.held(harbour.accept(A)).id,
        harbour.held(harbour.accept(B, repository="octo/other")).id,
    }
    _, answer = harbour.call("unlock")
    assert {one["run_id"] for one in answer["runs"]} == runs
    for run_id in runs:
        assert harbour.ended(run_id).state is State.SUCCEEDED


def test_unlocked_without_release(harbour):
    """What was held ends as cancelled, with who and why; the next push goes live."""
    harbour.call("lock", reason="freeze")
    run = harbour.held(harbour.accept(A, B))
    status, answer = harbour.call("unlock", "bob", release=False, reason="it was wrong")
    assert (status, answer["released"]) == (200, False)
    ended = harbour.inside.run(run.id)
    assert ended.state is State.CANCELLED
    assert ended.error == "bob unlocked production without releasing it, because: it was wrong"
    harbour.deployed()


def test_unlocked_without_release_while_its_worker_looks(harbour):
    """A held run that is being looked at right then ends all the same."""
    harbour.call("lock", reason="freeze")
    run = harbour.held(harbour.accept(A, B))
    harbour.inside.hurry(run.id)
    looking = harbour.inside.shop.ledger.lease(run.id, "w", "n", seconds=0.05, capacity=9)
    harbour.call("unlock", release=False)
    assert harbour.inside.shop.ledger.history.fields(run.id, "cancel") != [None]
    assert looking.fence
    time.sleep(0.1)
    assert harbour.ended(run.id).state is State.CANCELLED
    assert harbour.live() == (None, None)


def test_a_lock_that_expires_lets_go_by_itself(harbour):
    """Nobody unlocks: the held run is due when the lock's time is over, and not before."""
    harbour.call("lock", reason="lunch", expires_in="2s")
    run = harbour.held(harbour.accept(A, B))
    ledger = harbour.inside.shop.ledger
    assert ledger.overdue(0).runs == []
    deadline = time.monotonic() + 10
    while not ledger.overdue(0).runs:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ledger.locks.of("production") is None
    assert harbour.inside.advance(run.id) == "succeeded"


def test_a_lock_that_comes_during_the_release_waits_for_its_end(harbour):
    """All functions of a run move, though somebody locks between two of them."""
    harbour.deployed()
    run_id = harbour.accept(A, B)
    hold = harbour.strict.hold("UpdateAlias", B)
    harbour.inside.hurry(run_id)
    with harbour.working():
        assert hold.reached.wait(20)
        assert harbour.call("lock", reason="freeze")[0] == 200
        hold.open()
        run = harbour.until_ended(run_id)
    assert run.state is State.SUCCEEDED
    assert harbour.live() == (run.order.commit,) * 2


def test_a_killed_release_is_finished_in_spite_of_a_lock(harbour):
    """What has begun to move does not stay half done until somebody unlocks."""
    harbour.deployed()
    run_id = harbour.accept(A, B)
    harbour.kill(run_id, harbour.strict.hold("UpdateAlias", B), moved=(A,))
    assert len(set(harbour.live())) == 2
    harbour.call("lock", reason="freeze")
    assert harbour.ended(run_id).state is State.SUCCEEDED
    assert len(set(harbour.live())) == 1


def test_a_lock_before_the_release_holds_a_killed_run(harbour):
    """A run that died before it moved anything is held when its successor looks."""
    first = harbour.deployed()
    run_id = harbour.accept(A, B)
    harbour.kill(run_id, harbour.strict.hold("GetFunction", f"{A}:{ENVIRONMENT}"))
    harbour.call("lock", reason="freeze")
    harbour.held(run_id)
    assert harbour.live() == (first.order.commit,) * 2


APPROVED = ("deploy", "approve", "release")


@pytest.mark.harbour(more="approval = { required = 1 }")
def test_approval_goes_before_the_lock(harbour):
    """A run is approved while its environment is locked, and waits on until it is unlocked."""
    harbour.call("lock", reason="freeze")
    run_id = harbour.accept(A, B, stages=APPROVED)
    harbour.until(run_id, lambda run: run.asks)
    assert harbour.inside.call(f"/runs/{run_id}/approve")[0] == 202
    harbour.held(run_id)
    harbour.call("unlock")
    assert harbour.ended(run_id).state is State.SUCCEEDED


@pytest.mark.harbour(more="approval = { required = 1 }")
def test_a_rollback_ends_what_waits_for_approval(harbour):
    """Nobody approves what the rollback overtook; the run says by what."""
    first, _ = harbour.deployed(), harbour.deployed()
    run_id = harbour.accept(A, B, stages=APPROVED)
    harbour.until(run_id, lambda run: run.asks)
    back = harbour.rolled_back(first.order.commit)
    ended = harbour.inside.run(run_id)
    assert ended.state is State.CANCELLED
    assert back.id in ended.error
    assert harbour.inside.call(f"/runs/{run_id}/approve")[0] == 409


def test_a_rollback_leaves_what_is_held(harbour):
    """A second rollback does not end the run that the first one's hold keeps back."""
    first, second, _ = (harbour.deployed() for _ in range(3))
    harbour.rolled_back(second.order.commit)
    run = harbour.held(harbour.accept(A, B))
    harbour.rolled_back(first.order.commit)
    assert harbour.inside.run(run.id).held
    harbour.call("unlock")
    assert harbour.ended(run.id).state is State.SUCCEEDED
    assert harbour.live() == (run.order.commit,) * 2


def test_a_rollback_interrupts_a_release(harbour):
    """A release that is about to move aliases gives way; only then the rollback moves any."""
    first, second = harbour.deployed(), harbour.deployed()
    run_id = harbour.accept(A, B)
    hold = harbour.strict.hold("GetFunction", f"{B}:{ENVIRONMENT}")
    before = len(harbour.strict.moves)
    with harbour.working(), harbour.working():
        assert hold.reached.wait(20)
        back = harbour.accept_back(first.order.commit)
        harbour.until_log(back, "gives way")
        assert harbour.live() == (second.order.commit,) * 2, "the rollback does not wait"
        hold.open()
        assert harbour.until_ended(back).state is State.SUCCEEDED
    ended = harbour.ended(run_id)
    assert ended.state is State.CANCELLED
    assert f"gives way to the rollback to {first.order.commit[:7]} by alice" in ended.error
    assert harbour.live() == (first.order.commit,) * 2
    assert sorted(function for function, _, _ in harbour.strict.moves[before:]) == [A, B]


@pytest.mark.harbour(more='strategy = "canary-10-percent-30-minutes"')
def test_a_rollback_interrupts_a_gradual_release(harbour):
    """Its shares are put back first; then the rollback moves everything at once."""
    first = harbour.deployed()
    run_id = harbour.accept(A, B)
    harbour.until(run_id, lambda run: bool(run.rollout and run.rollout.percent))
    with harbour.working():
        back = harbour.until_ended(harbour.accept_back(first.order.commit))
    assert back.state is State.SUCCEEDED, harbour.story(back.id)
    ended = harbour.inside.run(run_id)
    assert ended.state is State.CANCELLED
    assert "production runs what it ran before" in ended.error
    assert harbour.live() == (first.order.commit,) * 2
    assert harbour.weights() == ({}, {})


@pytest.mark.harbour(more='strategy = "canary-10-percent-30-minutes"')
def test_a_lock_puts_a_gradual_release_back_and_holds_it(harbour):
    """Nobody's share grows in a freeze: the run is held, and begins anew when it is over."""
    harbour.deployed()
    run_id = harbour.accept(A, B)
    harbour.until(run_id, lambda run: bool(run.rollout and run.rollout.percent))
    harbour.call("lock", reason="freeze")
    run = harbour.until(run_id, lambda run: run.held)
    assert harbour.weights() == ({}, {})
    assert (run.rollout, run.unfinished) == (None, False)
    assert "production is locked by alice, because: freeze" in harbour.story(run_id)
    harbour.call("unlock")
    run = harbour.until(run_id, lambda run: bool(run.rollout and run.rollout.percent))
    assert (run.held, run.rollout.step) == (False, 1)
    assert all(harbour.weights())


@pytest.mark.harbour(more='strategy = "canary-10-percent-30-minutes"', lease_seconds=1)
def test_a_kill_while_a_lock_puts_shares_back(harbour):
    """The next worker goes on putting back, whatever the lock does meanwhile."""
    harbour.deployed()
    run_id = harbour.accept(A, B)
    harbour.until(run_id, lambda run: bool(run.rollout and run.rollout.percent))
    harbour.call("lock", reason="freeze")
    harbour.kill(run_id, harbour.strict.hold("UpdateAlias", A))
    assert harbour.inside.run(run_id).rollout.ending.fate == "held"
    harbour.call("unlock")
    harbour.until(run_id, lambda run: run.rollout is None)
    assert harbour.weights() == ({}, {})
