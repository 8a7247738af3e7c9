"""No run that should be going on is hidden by those that wait with it."""

import json
import time

import pytest
from kombu import Connection

from tests.ledger.conftest import Book
from tests.orders import order
from workers.app import TRANSPORT
from workers.ledger import keys, messages
from workers.ledger.model.run import State
from workers.ledger.sweep import LIMIT, LOOKS


def crowd(book: Book, count: int, on: str = "build") -> list[str]:
    """Runs that have been due on a queue for an hour, as the ledger writes them; their ids."""
    ids = [f"{on}-{n}" for n in range(count)]
    hour_ago = book.now() - 3_600_000
    pipe = book.redis.pipeline(transaction=False)
    for n, run_id in enumerate(ids):
        pipe.hset(keys.run(run_id), mapping={"state": "queued", "queue": on})
        pipe.zadd(keys.DUE, {run_id: hour_ago + n})
    pipe.execute()
    return ids


def parked(book: Book, **fields: str) -> str:
    """A run that was parked for deploy workers, and whose time has just come; its id."""
    lease = book.leased(book.take_on())
    if fields:
        lease.write(**fields)
    lease.park(State.WAITING, (), delay=0, queue="deploy")
    return lease.run_id


def test_a_queue_does_not_starve_another(book):
    """Sixty older runs wait for a build; the parked deploy is found, and the oldest builds."""
    builds = crowd(book, LIMIT + 10)
    run_id = parked(book)
    found = book.overdue(0)
    assert (run_id, "deploy") in found.runs
    assert [one for one, on in found.runs if on == "build"] == builds[:LIMIT]
    assert found.urgent == frozenset()


@pytest.mark.parametrize("field", ["unfinished", "recorded"])
def test_what_has_moved_something_goes_before_its_own_queue(book, field):
    """A canary behind sixty older deploys is the first that a sweep is told of."""
    crowd(book, LIMIT + 10, "deploy")
    run_id = parked(book, **{field: "yes"})
    found = book.overdue(0)
    assert found.runs[0] == (run_id, "deploy")
    assert found.urgent == {run_id}
    assert len(found.runs) == LIMIT + 1


def test_the_run_of_a_lost_worker_goes_before_all(book):
    """Sixty older runs of the same queue do not hide it, nor those that have moved something."""
    lost = book.leased(book.take_on(order(commit="c" * 40)), seconds=0.05).run_id
    crowd(book, LIMIT + 10)
    canary = parked(book, unfinished="yes")
    time.sleep(0.1)
    found = book.overdue(0)
    assert found.runs[:2] == [(lost, "build"), (canary, "deploy")]
    assert found.urgent == {lost, canary}


def test_behind_thousands_a_run_is_found_in_a_few_sweeps(book):
    """One sweep looks at so many and no more; the next goes on behind them, and round again."""
    crowd(book, 2 * LOOKS + 100)
    run_id = parked(book, unfinished="yes")
    times = [run_id in book.overdue(0, everywhere=True).urgent for _ in range(4)]
    assert times == [False, True, False, True]


def test_who_is_not_sweeping_leaves_the_round_alone(book):
    """A worker that looks for its next run does not make a sweep skip any."""
    crowd(book, 2 * LOOKS + 100)
    run_id = parked(book, unfinished="yes")
    assert run_id not in book.overdue(0, everywhere=True).urgent
    assert run_id not in book.overdue(0).urgent
    assert run_id in book.overdue(0, everywhere=True).urgent


def test_a_bell_at_the_head_is_heard_before_all_others(book, redis_server):
    """The message goes before those that wait, as a worker's own Celery takes them."""
    for run_id in ("older", "old"):
        book.ring(messages.ADVANCE, run_id, "deploy")
    assert book.ring_first("canary", "deploy")
    with Connection(redis_server.url, transport_options=TRANSPORT) as connection:
        waiting = connection.SimpleQueue("deploy")
        heard = [waiting.get(timeout=5).payload[0][0] for _ in range(3)]
    assert heard == ["canary", "older", "old"]


def test_a_bell_rings_once_however_often_it_is_asked_for(book):
    """Where no worker listens the queue does not grow; a report's bell is another one."""
    book.ring(messages.REPORT, "canary", "deploy")
    assert [book.ring_first("canary", "deploy") for _ in range(3)] == [True, False, False]
    assert book.ring_first("another", "deploy")
    assert not book.ring_first("canary", "deploy")
    assert book.backlog("deploy") == 3
    first = json.loads(book.redis.rpop(messages.key("deploy")))
    assert book.history.task(first["headers"]["id"])["run"] == "another"
