"""A run waits without a worker: for the clock, for something to happen, or for people."""

import time

import pytest

from tests.ledger.conftest import STAGES, Book
from tests.orders import order
from workers.ledger import Refusal, keys
from workers.ledger.lease import Lease
from workers.ledger.model.approval import Vote
from workers.ledger.model.errors import PeopleError, StoppedError
from workers.ledger.model.run import StageRecord, StageState, State

HOUR = 3600
YES = Vote(who="ada", verdict="approve", at=0)


def records(waiting: str) -> tuple[StageRecord, ...]:
    """The stages of a run of which one waits."""
    names = (*STAGES[:-1], "approve", STAGES[-1])
    return tuple(
        StageRecord(name=name, state=StageState.WAITING if name == waiting else StageState.PENDING)
        for name in names
    )


def parked(book: Book, lease: Lease, seconds: float = HOUR) -> str:
    """The run gives its worker back and waits; its id."""
    lease.park(State.WAITING, records("test"), delay=seconds, queue="build")
    return lease.run_id


def test_the_clock_wakes_a_run(book):
    """It can't be taken before its time, is overdue afterwards, and nobody is asked meanwhile."""
    run_id = parked(book, book.leased(book.take_on()), seconds=0.3)
    run = book.history.run(run_id)
    assert (run.state, run.asks) == (State.WAITING, False)
    assert book.try_lease(run_id, "w2") == Refusal("early")
    time.sleep(0.35)
    assert book.overdue(0).runs == [(run_id, "build")]
    assert isinstance(book.try_lease(run_id, "w2"), Lease)


def test_an_event_wakes_a_run_before_its_time(book, redis):
    """What it awaits has happened: it is due at once, and its queue is rung."""
    lease = book.leased(book.take_on())
    lease.awaits("sonar:7", analysis="7")
    run_id = parked(book, lease)
    before = redis.llen(f"{keys.BROKER_PREFIX}build")
    assert book.wake("sonar:7") == (run_id, "woken")
    assert redis.llen(f"{keys.BROKER_PREFIX}build") == before + 1
    assert isinstance(book.try_lease(run_id, "w2"), Lease)
    assert book.history.fields(run_id, "analysis") == ["7"]


def test_an_event_that_comes_while_it_has_a_worker_is_not_lost(book):
    """The run is due as soon as its worker parks it; once, and not for a later wait."""
    lease = book.leased(book.take_on())
    lease.awaits("sonar:7")
    assert book.wake("sonar:7") == (lease.run_id, "noted")
    run_id = parked(book, lease)
    again = book.leased(run_id, "w2")
    parked(book, again)
    assert book.try_lease(run_id, "w3") == Refusal("early")


def test_events_that_nobody_awaits_change_nothing(book):
    """A name that is unknown, given up, or of a run that has ended wakes nobody."""
    assert book.wake("sonar:8") == ("", "unknown")
    lease = book.leased(book.take_on())
    lease.awaits("sonar:8")
    lease.awaits("sonar:9")
    run_id = parked(book, lease)
    assert book.wake("sonar:8") == (run_id, "over")
    assert book.try_lease(run_id, "w2") == Refusal("early")
    book.cancel(run_id, "by ada")
    assert book.wake("sonar:9") == (run_id, "over")


def test_an_event_does_not_speak_for_people(book):
    """A run that waits for approval goes on waiting."""
    lease = book.leased(book.take_on())
    lease.awaits("sonar:7")
    lease.wait(PeopleError(HOUR, "7:production"), records("approve"))
    assert book.history.run(lease.run_id).asks
    assert book.wake("sonar:7") == (lease.run_id, "over")


def test_a_word_counts_only_where_people_are_asked(book):
    """A run that waits for something else takes nobody's approval, and none in advance."""
    run_id = parked(book, book.leased(book.take_on()), seconds=0)
    assert book.vote(run_id, YES, 1, "deploy") == "not waiting"
    lease = book.leased(run_id, "w2")
    lease.wait(PeopleError(HOUR, "7:production"), records("approve"))
    assert book.vote(run_id, YES, 1, "deploy") == "counted"


def test_a_newer_candidate_replaces_only_one_that_waits_for_people(book):
    """A run that has been approved and waits for the clock is left alone."""
    older = parked(book, book.leased(book.take_on()))
    newer = book.leased(book.take_on(order(commit="c" * 40)), "w2")
    newer.wait(PeopleError(HOUR, "7:production", older), records("approve"))
    assert book.history.run(older).state is State.WAITING


def test_a_late_worker_awaits_nothing(book):
    """Who has lost the lease can't say what the run awaits."""
    lease = book.leased(book.take_on(), seconds=0.05)
    time.sleep(0.1)
    book.leased(lease.run_id, "w2")
    with pytest.raises(StoppedError):
        lease.awaits("sonar:7")
    assert book.wake("sonar:7") == ("", "unknown")


def asked(book: Book) -> str:
    """A run that asks people."""
    lease = book.leased(book.take_on())
    lease.wait(PeopleError(HOUR, "7:production"), records("approve"))
    return lease.run_id


def say(book: Book, run_id: str, who: str, verdict: str = "approve", required: int = 2) -> str:
    """Somebody's word on a run that needs two."""
    return book.vote(run_id, Vote(who=who, verdict=verdict, at=0), required, "deploy")


def test_each_word_has_a_worker_look(book, redis):
    """The first of two with the next sweep; the one that decides rings at once."""
    run_id = asked(book)
    assert book.try_lease(run_id, "w") == Refusal("early")
    before = redis.llen(f"{keys.BROKER_PREFIX}deploy")
    assert say(book, run_id, "ada") == "counted"
    assert book.overdue(0).runs == [(run_id, "build")]
    assert redis.llen(f"{keys.BROKER_PREFIX}deploy") == before
    assert say(book, run_id, "bob") == "counted"
    assert redis.llen(f"{keys.BROKER_PREFIX}deploy") == before + 1
    assert isinstance(book.try_lease(run_id, "w"), Lease)


def test_who_speaks_while_a_worker_looks_is_heard(book):
    """The word counts, and the run looks again as soon as this visit is over, and only then."""
    run_id = asked(book)
    say(book, run_id, "ada")
    lease = book.leased(run_id)
    run = book.history.run(run_id)
    assert (run.asks, run.hears) == (False, True)
    assert say(book, run_id, "ada") == "voted"
    assert say(book, run_id, "bob") == "counted"
    lease.wait(PeopleError(HOUR, "7:production"), records("approve"))
    assert book.overdue(0).runs == [(run_id, "build")]
    again = book.leased(run_id, "w2")
    again.wait(PeopleError(HOUR, "7:production"), records("approve"))
    assert book.try_lease(run_id, "w3") == Refusal("early")


@pytest.mark.parametrize("decides", ["approve", "reject"])
def test_nobody_speaks_after_it_was_decided(book, decides):
    """While a worker acts on the word that decided, another would count for nothing."""
    run_id = asked(book)
    assert say(book, run_id, "ada", decides, required=1) == "counted"
    book.leased(run_id)
    assert say(book, run_id, "bob", "reject", required=1) == "not waiting"
