"""Whoever asks for the runs that have not ended is told of all of them."""

import time
from threading import Event, Thread

import pytest

from tests.ledger.conftest import Book
from tests.orders import order
from workers.ledger.model.run import State

SECONDS = 2.0


class Restless(Thread):
    """A worker that takes a run and gives it back, again and again."""

    def __init__(self, book: Book, run_id: str) -> None:
        super().__init__(daemon=True)
        self.book = book
        self.run_id = run_id
        self.parked = 0
        self.enough = Event()

    def run(self) -> None:
        """Park the run as often as there is time for."""
        while not self.enough.is_set():
            lease = self.book.leased(self.run_id, nonce=f"n{self.parked}")
            lease.park(State.WAITING, (), delay=0, queue="deploy")
            self.parked += 1


@pytest.fixture
def restless(book):
    """It is at work while the test runs."""
    thread = Restless(book, book.take_on())
    thread.start()
    yield thread
    thread.enough.set()
    thread.join()


def test_a_run_that_is_just_being_parked_is_alive(book, restless):
    """However often a worker takes it and gives it back, nobody ever finds it in neither place."""
    looks, end = 0, time.monotonic() + SECONDS
    before = restless.parked
    while time.monotonic() < end:
        assert [run.id for run in book.history.alive()] == [restless.run_id], f"look {looks}"
        looks += 1
    assert restless.parked - before > 100, "it was hardly ever parked meanwhile"
    assert looks > 100


def test_only_what_has_not_ended_is_alive(book):
    """Queued, at work and parked runs are; one that has ended is not."""
    queued, working, parked, ended = (book.take_on(order(commit=c * 40)) for c in "abcd")
    book.leased(working)
    book.leased(parked, "w2").park(State.WAITING, (), delay=60, queue="deploy")
    book.ended(ended)
    assert {run.id for run in book.history.alive()} == {queued, working, parked}
