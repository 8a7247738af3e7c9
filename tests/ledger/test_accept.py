"""Accepting an order is one atomic step, whatever is repeated."""

from concurrent.futures import ThreadPoolExecutor

from tests.ledger.conftest import STAGES
from tests.orders import order, pull_request
from workers.ledger import keys, messages
from workers.ledger.model.run import State


def test_an_accepted_order_is_a_queued_run_that_is_due(book):
    """A fresh order becomes a queued run, due at once, with a message for the workers."""
    accepted = book.accept(order(), "d1", STAGES, "build")
    run = book.history.run(accepted.run_id)
    assert accepted.fresh
    assert run.state is State.QUEUED
    assert [stage.name for stage in run.stages] == list(STAGES)
    assert book.redis.zscore(keys.DUE, run.id) is not None
    assert book.redis.llen(messages.key("build")) == 1
    assert book.history.task(run.id)["state"] == "queued"


def test_a_delivery_that_comes_again_gets_its_run(book):
    """The same delivery, even with another order in it, leads to the run it made."""
    first = book.accept(order(), "d1", STAGES, "build")
    again = book.accept(order(commit="c" * 40), "d1", STAGES, "build")
    assert again.run_id == first.run_id
    assert not again.fresh
    assert book.redis.zcard(keys.RUNS) == 1


def test_two_deliveries_of_one_push_make_one_run(book):
    """An organisation's hook and a repository's tell of one push: one run."""
    assert book.take_on(delivery="d1") == book.take_on(delivery="d2")


def test_twenty_copies_at_once_make_one_run(book):
    """Copies of a delivery that arrive at the same moment make one run and one message."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: book.accept(order(), "d1", STAGES, "build"), range(20)))
    assert len({answer.run_id for answer in answers}) == 1
    assert [answer.fresh for answer in answers].count(True) == 1
    assert book.redis.llen(messages.key("build")) == 1


def test_environments_and_purposes_are_orders_of_their_own(book):
    """One commit goes to two environments and is checked: three runs."""
    orders = (
        order(),
        order(environment="staging"),
        order(purpose="check", environment=None, pull_request=pull_request(head="a" * 40)),
    )
    assert len({book.take_on(one) for one in orders}) == 3


def test_a_merged_pull_request_joins_the_run_of_its_push(book):
    """The pull request that comes after the push is remembered on the push's run, and told."""
    run_id = book.take_on()
    begun = book.report_begin(run_id, "t", 5)
    book.report_end(run_id, "t", begun[0], "{}")
    assert book.redis.zscore(keys.REPORTS, run_id) is None
    assert book.take_on(order(pull_request=pull_request())) == run_id
    assert book.history.run(run_id).order.pull_request == pull_request()
    assert book.redis.zscore(keys.REPORTS, run_id) is not None


def test_the_history_orders_runs_of_one_millisecond(book):
    """Runs accepted back to back keep their order and have cursors of their own."""
    ids = [book.take_on(order(commit=f"{n:040x}")) for n in range(50)]
    scores = [book.redis.zscore(keys.RUNS, run_id) for run_id in ids]
    assert scores == sorted(set(scores))


def test_who_caused_a_run_is_told_once(book):
    """A later delivery of the same order names who did if nobody knows, and changes no name."""
    found = book.accept(order(), "poll:1", STAGES, "build").run_id
    for late, who in enumerate(("ada", "bob", None)):
        assert book.accept(order(sender=who), f"late-{late}", STAGES, "build").run_id == found
        assert book.history.run(found).order.sender == "ada"
    told = book.take_on(order(sender="eve", commit="c" * 40))
    book.accept(order(sender="bob", commit="c" * 40), "later", STAGES, "build")
    assert book.history.run(told).order.sender == "eve"
    assert book.redis.hexists(keys.run(told), "sender") is False


def test_people_of_a_change_are_gathered(book):
    """Each delivery of an order adds those whom it knows, once; a forgotten bot adds nobody."""
    found = book.take_on(order())
    for late, people in enumerate(((), ("ada",), ("bob", "ada"), ())):
        again = order(people=people, sender=people[0] if people else None)
        assert book.accept(again, f"late-{late}", STAGES, "build").run_id == found
    assert book.history.run(found).order.people == ("ada", "bob")
    first = book.take_on(order(commit="c" * 40, people=("eve",)))
    book.accept(order(commit="c" * 40, people=("ada",)), "later", STAGES, "build")
    assert book.history.run(first).order.people == ("eve", "ada")
