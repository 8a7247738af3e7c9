"""The history is read by page, the log is capped, the old is forgotten."""

import time

import pytest

from tests.orders import order
from workers.ledger import keys
from workers.ledger.history import Query
from workers.ledger.model.run import State


@pytest.fixture
def filled(book):
    """Forty runs of two repositories and two branches, the last one first."""
    for n in range(40):
        book.take_on(
            order(
                repository="octo/even" if n % 2 == 0 else "octo/odd",
                ref="refs/heads/develop" if n % 4 < 2 else "refs/heads/preprod",
                commit=f"{n:040x}",
            )
        )
    return book


def numbers(runs):
    """Which of the forty they are."""
    return [int(run.order.commit, 16) for run in runs]


def walk(book, query, limit):
    """All pages of a query."""
    found, cursor = [], None
    while True:
        page = book.history.page(Query(**{**query, "cursor": cursor}), limit)
        found += numbers(page.runs)
        cursor = page.cursor
        if cursor is None:
            return found


def test_pages_follow_one_another_without_gap_or_repeat(filled):
    """Walking the cursors gives every run once, newest first."""
    assert walk(filled, {}, 7) == list(range(39, -1, -1))


def test_a_page_that_is_just_full_has_no_cursor(filled):
    """The last page says that nothing follows, also when it is full."""
    assert filled.history.page(Query(), 40).cursor is None


def test_runs_are_found_by_repository_and_branch(filled):
    """Repository (in any case) and branch narrow the history, alone and together."""
    assert walk(filled, {"repository": "Octo/Even"}, 3) == list(range(38, -1, -2))
    both = [n for n in range(39, -1, -1) if n % 2 == 0 and n % 4 >= 2]
    assert walk(filled, {"repository": "octo/even", "branch": "preprod"}, 3) == both
    assert walk(filled, {"branch": "preprod"}, 3) == [n for n in range(39, -1, -1) if n % 4 >= 2]


def test_runs_are_found_by_time_and_state(filled):
    """A time in the middle splits the history; a state that none has finds none."""
    middle = filled.history.page(Query(), 20).runs[-1].created_at + 1
    late, early = (walk(filled, query, 9) for query in ({"since": middle}, {"until": middle}))
    assert sorted(late + early) == list(range(40))
    assert walk(filled, {"match": {"state": "failed"}}, 9) == []


def test_a_log_keeps_its_end_and_says_how_much_is_cut(book):
    """A log over its size loses the oldest text, and its text says so."""
    lease = book.leased(book.take_on())
    for n in range(30):
        lease.say("test", f"line {n:03}\n" * 10, 1000)
    text = book.history.text(lease.run_id)
    assert "line 029" in text
    assert "line 000" not in text
    assert text.startswith("[slipway] the first ")
    assert len(text) < 3000


def test_only_ended_and_reported_runs_are_forgotten(book):
    """Retention drops what has ended and was told, never what still lives."""
    ended, untold, alive = (book.take_on(order(commit=c * 40)) for c in "cde")
    for run_id in (ended, untold):
        lease = book.leased(run_id)
        lease.say("test", "hello", 1000)
        lease.finish(State.SUCCEEDED, book.history.run(run_id).stages)
    begun = book.report_begin(ended, "t", 5)
    book.report_end(ended, "t", begun[0], "{}")
    assert book.prune(keep=0, days=90) == 1
    assert book.history.run(ended) is None
    assert book.history.run(untold)
    assert book.history.run(alive)
    assert not book.redis.exists(keys.log(ended))
    left = [key for key in book.redis.keys("*") if ended in key]
    assert left == [keys.task(ended)]
    assert book.take_on(order(commit="c" * 40)) != ended


def test_age_alone_forgets_too(book):
    """A run older than the days to keep goes, however few there are."""
    lease = book.leased(book.take_on())
    lease.finish(State.SUCCEEDED, book.history.run(lease.run_id).stages)
    begun = book.report_begin(lease.run_id, "t", 5)
    book.report_end(lease.run_id, "t", begun[0], "{}")
    assert book.prune(keep=100, days=1) == 0
    assert book.prune(keep=100, days=-1) == 1


def test_one_reporter_at_a_time(book):
    """While one task reports a run, another one is sent away."""
    run_id = book.take_on()
    assert book.report_begin(run_id, "one", 5)
    assert book.report_begin(run_id, "two", 5) is None


def test_a_reporter_keeps_its_run_by_heartbeats(book):
    """A reporter that goes on keeps others out; one that was silent for too long has lost it."""
    run_id = book.take_on()
    begun = book.report_begin(run_id, "one", 0.2)
    assert book.report_beat(run_id, "one", 5)
    time.sleep(0.25)
    assert book.report_begin(run_id, "two", 0.2) is None
    assert book.report_beat(run_id, "one", 0.1)
    time.sleep(0.15)
    assert book.report_begin(run_id, "two", 5) == begun
    assert not book.report_beat(run_id, "one", 5)


def test_news_during_a_report_keeps_it_due(book):
    """A change while GitHub is told is told next, never lost."""
    lease = book.leased(book.take_on())
    begun = book.report_begin(lease.run_id, "one", 5)
    lease.finish(State.SUCCEEDED, book.history.run(lease.run_id).stages)
    assert book.report_end(lease.run_id, "one", begun[0], "{}")
    assert book.overdue(0).reports == [lease.run_id]


def test_a_failed_report_is_due_later(book):
    """What could not be told is due again after its delay, with what was told kept."""
    run_id = book.take_on()
    begun = book.report_begin(run_id, "one", 5)
    book.report_end(run_id, "one", begun[0], '{"a": "b"}', again_in=0.2)
    assert book.overdue(0).reports == []
    time.sleep(0.25)
    assert book.overdue(0).reports == [run_id]
    assert book.report_begin(run_id, "two", 5) == (begun[0], '{"a": "b"}')


def test_gauges_tell_how_long_the_oldest_has_waited(book):
    """The watchdog's number: how long ago the oldest due run became due."""
    assert book.history.gauges()["oldest_due_milliseconds"] == 0
    run_id = book.take_on()
    book.redis.zincrby(keys.DUE, -5000, run_id)
    assert 5000 <= book.history.gauges()["oldest_due_milliseconds"] < 10_000


def test_work_that_wants_one_worker_has_one(book):
    """While one does it others stay away; afterwards it is free again."""
    with book.alone("poll", 60) as first, book.alone("poll", 60) as second:
        assert (first, second) == (True, False)
    with book.alone("poll", 60) as third:
        assert third
