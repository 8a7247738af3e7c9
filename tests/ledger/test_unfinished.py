"""A run that has moved something is not ended before it was finished or put back."""

import pytest

from tests.orders import order
from workers.ledger import MAX_LOSSES, Refusal, keys
from workers.ledger.model.errors import CancelledError, StoppedError
from workers.ledger.model.run import State

PLACE = "eu-west-3/Store/production"


@pytest.fixture
def moving(book):
    """A run with shares on its aliases, leased."""
    run_id = book.take_on()
    lease = book.leased(run_id)
    lease.write(unfinished="yes")
    return lease


def park(book, lease, state=State.WAITING, delay=3600):
    """Give the run back for an hour."""
    lease.park(state, book.history.run(lease.run_id).stages, delay=delay, queue="deploy")


def messages(book):
    """How many messages wait on the queue of deploys."""
    return book.backlog("deploy")


@pytest.mark.parametrize("state", [State.WAITING, State.QUEUED])
def test_a_cancel_wakes_it(book, moving, state):
    """It waits for an hour, is asked to end, and is due and rung for at once."""
    park(book, moving, state)
    before = messages(book)
    assert book.cancel(moving.run_id, "cancelled by ada") == "asked"
    assert book.history.run(moving.run_id).state is state
    assert messages(book) == before + 1
    lease = book.leased(moving.run_id, "w2")
    with pytest.raises(CancelledError, match="cancelled by ada"):
        lease.check()
    lease.hold()


def test_a_cancel_while_it_is_at_work_is_not_slept_over(book, moving):
    """What parks after somebody wanted its end is due at once."""
    assert book.cancel(moving.run_id, "cancelled by ada") == "asked"
    park(book, moving)
    assert book.try_lease(moving.run_id, "w2") != Refusal("early")


def test_when_it_is_put_back_a_cancel_ends_it_at_once(book, moving):
    """Nothing is left to undo, so nobody needs to visit it."""
    moving.write(unfinished="")
    park(book, moving)
    assert book.cancel(moving.run_id, "cancelled by ada") == "cancelled"


def test_it_gets_more_visits_than_others_when_workers_die(book, moving):
    """After the usual losses it is leased still, to undo; and there is an end to that, too."""
    for loss in range(1, 2 * MAX_LOSSES + 1):
        book.redis.zadd(keys.LEASES, {moving.run_id: 0})
        book.leased(moving.run_id, f"w{loss}")
    assert book.history.run(moving.run_id).losses == 2 * MAX_LOSSES
    book.redis.zadd(keys.LEASES, {moving.run_id: 0})
    assert book.try_lease(moving.run_id, "last") == Refusal("ended")
    assert book.history.run(moving.run_id).state is State.FAILED


def test_an_alias_is_claimed_by_one_run(book, moving):
    """All or none: whoever comes second gets the name of the first, and nothing."""
    other = book.leased(book.take_on(order(commit="b" * 40)), "w2")
    assert moving.claim([PLACE]) == ""
    assert moving.claim([PLACE]) == ""
    assert other.claim(["eu-west-3/Free/production", PLACE]) == moving.run_id
    assert moving.claim(["eu-west-3/Free/production"]) == ""
    assert book.history.claimed([PLACE], other.run_id) == moving.run_id
    assert book.history.claimed([PLACE], moving.run_id) is None
    assert book.history.claimed([], other.run_id) is None


def test_a_claim_ends_with_its_run(book, moving):
    """A run that has ended or is forgotten holds no alias, while one that waits does."""
    other = book.leased(book.take_on(order(commit="b" * 40)), "w2")
    moving.claim([PLACE])
    park(book, moving)
    assert other.claim([PLACE]) == moving.run_id
    book.redis.zadd(keys.DUE, {moving.run_id: 0})
    moving = book.leased(moving.run_id, "w3")
    moving.finish(State.FAILED, book.history.run(moving.run_id).stages, "ours", "over")
    assert book.history.claimed([PLACE], other.run_id) is None
    assert other.claim([PLACE]) == ""


def test_a_late_worker_claims_nothing(book, moving):
    """A lease that is lost takes no alias."""
    book.redis.zadd(keys.LEASES, {moving.run_id: 0})
    book.leased(moving.run_id, "w2")
    with pytest.raises(StoppedError):
        moving.claim([PLACE])
