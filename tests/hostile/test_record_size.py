"""A repository's file is on its run's record no longer than its stages read it."""

import pytest

from tests.ledger.conftest import Book, book
from workers.ledger import keys
from workers.ledger.model.run import State

__all__ = ["book"]
FILE = "# " + "x" * 900_000
MOST = 20_000


def weight(book: Book, run_id: str) -> int:
    """Bytes that Redis holds for a run's hash."""
    return int(book.redis.memory_usage(f"{keys.RUN}{run_id}", samples=0))


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.SUPERSEDED])
def test_an_ended_run_keeps_no_file(book: Book, state: State):
    """However it ended; all else that is known of it stays."""
    run_id = book.take_on()
    lease = book.leased(run_id)
    lease.write(pipeline=FILE, subject="a subject")
    assert weight(book, run_id) > len(FILE)
    lease.finish(state, ())
    assert weight(book, run_id) < MOST
    assert book.history.fields(run_id, "pipeline", "subject") == [None, "a subject"]


def test_a_waiting_run_has_its_file(book: Book):
    """Its next visit reads it, on whatever machine; once it is cancelled nobody does."""
    run_id = book.take_on()
    lease = book.leased(run_id)
    lease.write(pipeline=FILE)
    lease.park(State.WAITING, (), delay=60, queue="build")
    assert book.history.fields(run_id, "pipeline") == [FILE]
    assert book.cancel(run_id, "by ada") == "cancelled"
    assert weight(book, run_id) < MOST
