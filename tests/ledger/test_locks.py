"""Locks of environments: one at a time, on Redis's clock, and what they hold back."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.ledger.conftest import Book
from tests.orders import order
from workers.ledger.model.errors import HeldError, StoppedError
from workers.ledger.model.order import Order, Rollback
from workers.ledger.model.run import Release, StageRecord, StageState, State

PLACE = "sandbox"
RECORDS = (StageRecord(name="release", state=StageState.WAITING, summary="Held: why"),)


def held(book: Book, over: str | None = None, place: str = "7", **changes: object) -> str:
    """A run that found its environment locked; its id."""
    lease = book.leased(book.take_on(order(**changes)))
    lease.hold_back(HeldError("why", PLACE, place, over), RECORDS)
    return lease.run_id


def back(commit: str = "b" * 40, by: str = "ada", **more: object) -> Order:
    """The order of a rollback."""
    return order(commit=commit, purpose="rollback", sender=by, rollback=Rollback(**more))


def roll(book: Book, wanted: Order):
    """Take a rollback on."""
    releases = (Release(function="List", version="1"),)
    return book.locks.rollback(wanted, ("deploy", "release"), "deploy", "{}", releases)


def test_one_lock_at_a_time(book):
    """Of twenty people one gets it; the others hear of that one; her repeat is fine."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: book.locks.lock(PLACE, f"p{n}", "why"), range(20)))
    (winner,) = (answer.lock.by for answer in answers if answer.ours)
    assert {answer.lock.by for answer in answers} == {winner}
    again = book.locks.lock(PLACE, winner, "why")
    assert (again.ours, again.lock.at) == (True, answers[0].lock.at)
    assert not book.locks.lock(PLACE, winner, "another reason").ours
    assert book.locks.every(["other", PLACE])["other"] is None


def test_a_lock_ends_by_rediss_clock(book):
    """Its end is told in milliseconds, and after it there is no lock."""
    lock = book.locks.lock(PLACE, "ada", "lunch", seconds=0.2).lock
    assert lock.expires_at == lock.at + 200
    assert book.locks.of(PLACE) == lock
    time.sleep(0.25)
    assert book.locks.of(PLACE) is None
    assert book.locks.unlock(PLACE, "why") is None
    until = book.now() + 60_000
    assert book.locks.lock(PLACE, "bob", "why", until=until).lock.expires_at == until


def test_a_held_run_is_due_when_the_lock_ends(book):
    """Not before it, and without anybody's doing."""
    book.locks.lock(PLACE, "ada", "lunch", seconds=0.4)
    run_id = held(book)
    assert book.history.run(run_id).held
    assert book.overdue(0).runs == []
    time.sleep(0.45)
    assert book.overdue(0).runs == [(run_id, "build")]


def test_a_lock_that_went_meanwhile_holds_nothing(book):
    """Unlocked between the look and the parking: the run is due at once, and held by nobody."""
    run_id = held(book)
    assert not book.history.run(run_id).held
    assert book.overdue(0).runs == [(run_id, "build")]
    assert book.locks.held(PLACE) == []


def test_unlocking_makes_what_was_held_due(book):
    """One run of each place, newest only; those that ended since are not offered."""
    book.locks.lock(PLACE, "ada", "why")
    older = held(book)
    newer = held(book, over=older, commit="c" * 40)
    other = held(book, place="8", commit="d" * 40)
    ended = held(book, place="9", commit="e" * 40)
    book.cancel(ended, "by ada")
    assert book.history.run(older).state is State.SUPERSEDED
    opened = book.locks.unlock(PLACE, "why")
    assert (opened.lock.by, set(opened.runs)) == ("ada", {newer, other})
    assert {run_id for run_id, _ in book.overdue(0).runs} == {newer, other}
    assert book.locks.held(PLACE) == []


def test_unlocking_without_release_ends_what_was_held(book):
    """And a run that passed an earlier lock is none of them."""
    book.locks.lock(PLACE, "ada", "why", seconds=0.2)
    passed = held(book)
    time.sleep(0.25)
    moving = book.leased(passed, "w2")
    assert moving.admitted(PLACE, "7") is None
    book.locks.lock(PLACE, "ada", "again")
    waiting = held(book, place="8", commit="c" * 40)
    assert book.locks.unlock(PLACE, "not wanted", release=False).runs == (waiting,)
    run = book.history.run(waiting)
    assert (run.state, run.error) == (State.CANCELLED, "not wanted")
    assert book.history.fields(passed, "cancel") == [None]


def test_a_late_worker_is_told_nothing_and_holds_nothing(book):
    """Who has lost the lease neither learns that it may go on nor parks the run."""
    book.locks.lock(PLACE, "ada", "why")
    lease = book.leased(book.take_on(), seconds=0.05)
    time.sleep(0.1)
    book.leased(lease.run_id, "w2")
    with pytest.raises(StoppedError):
        lease.admitted(PLACE, "7")
    with pytest.raises(StoppedError):
        lease.hold_back(HeldError("why", PLACE, "7"), RECORDS)
    with pytest.raises(StoppedError):
        lease.drop_hold(PLACE)


def test_a_rollback_holds_from_the_moment_it_is_accepted(book):
    """Run and hold come into being in one step; the run is due and rung for."""
    answer = roll(book, back(reason="why"))
    lock = book.locks.of(PLACE)
    assert (lock.kind, lock.by, lock.reason, lock.run) == ("rollback", "ada", "why", answer.run_id)
    assert lock.commit == "b" * 40
    run = book.history.run(answer.run_id)
    assert (run.order.purpose, run.state) == ("rollback", State.QUEUED)
    assert [one.function for one in run.releases] == ["List"]
    assert book.overdue(0).runs == [(answer.run_id, "deploy")]
    assert book.backlog("deploy") == 1


def test_twenty_who_ask_for_the_same_rollback(book):
    """There is one run of it."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: roll(book, back()), range(20)))
    assert len({answer.run_id for answer in answers}) == 1
    assert sum(answer.fresh for answer in answers) == 1
    assert roll(book, back(function="List")).fresh


def test_a_lock_refuses_a_rollback(book):
    """Nothing is written down, and the lock stays."""
    book.locks.lock(PLACE, "bob", "freeze")
    answer = roll(book, back())
    assert (answer.run_id, answer.refused.by) == ("", "bob")
    assert book.overdue(0).runs == []
    assert not book.locks.lock(PLACE, "ada", "me too").ours


def test_no_lock_takes_the_place_of_a_hold(book):
    """Else its end would release what a rollback holds."""
    roll(book, back())
    assert book.locks.lock(PLACE, "ada", "lunch", seconds=1).lock.kind == "rollback"


def test_a_rollback_that_was_unlocked_is_not_repeated(book):
    """The one under way has lost its hold and will end; a new request gets a run of its own."""
    first = roll(book, back())
    book.locks.unlock(PLACE, "why")
    second = roll(book, back())
    assert (second.fresh, second.run_id != first.run_id) == (True, True)


def test_a_dropped_hold_leaves_what_was_there(book):
    """The earlier hold, or none, and then what was held is due; a later hold is left alone."""
    first = roll(book, back())
    second = roll(book, back("c" * 40))
    lease = book.leased(second.run_id)
    lease.drop_hold(PLACE)
    assert book.locks.of(PLACE).run == first.run_id
    lease.drop_hold(PLACE)
    assert book.locks.of(PLACE).run == first.run_id
    waiting = held(book)
    book.leased(first.run_id).drop_hold(PLACE)
    assert book.locks.of(PLACE) is None
    assert waiting in dict(book.overdue(0).runs)


def test_stages_are_those_that_were_asked_for(book):
    """A rollback has its own, short list."""
    run = book.history.run(roll(book, back()).run_id)
    assert [stage.name for stage in run.stages] == ["deploy", "release"]
