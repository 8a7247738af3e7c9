"""What is forgotten is gone from everywhere, and comes back by nothing."""

import pytest

from tests.orders import order
from workers.ledger import keys
from workers.ledger.history import BRANCHES_AT_ONCE


def accepted(book, branch, commit, **changes):
    """A run of a branch, which has succeeded and was told; its id."""
    ref = f"refs/heads/{branch}"
    return book.ended(book.take_on(order(ref=ref, commit=f"{commit:040x}", **changes)))


def branches(book):
    """The branches that the ledger knows."""
    return {index.rpartition(":")[2] for index in book.redis.smembers(keys.BRANCHES)}


def test_a_branch_goes_with_its_last_run(book):
    """As long as one run of it is kept a branch is known, and no longer."""
    for n, branch in enumerate(("gone", "kept", "kept")):
        accepted(book, branch, n)
    assert branches(book) == {"gone", "kept"}
    assert book.prune(keep=1, days=90) == 2
    assert branches(book) == {"kept"}
    assert book.prune(keep=0, days=90) == 1
    assert branches(book) == set()
    accepted(book, "kept", 3)
    assert branches(book) == {"kept"}


def test_nothing_that_grows_outlives_its_runs(book):
    """When all runs of many branches and repositories are forgotten, no key bears their names."""
    for n in range(3):
        accepted(book, f"topic-{n}", n, repository=f"octo/named-{n}")
    assert len(book.redis.keys("*named-*")) == 6
    assert book.prune(keep=0, days=90) == 3
    assert book.redis.keys("*named-*") == []
    assert book.redis.smembers(keys.BRANCHES) == set()


@pytest.mark.parametrize(
    "ask",
    [
        lambda book, run_id: book.recall_log(run_id, "deploy"),
        lambda book, run_id: book.recall_report(run_id, "coverage", "deploy"),
    ],
    ids=["log", "report"],
)
def test_asking_for_what_is_forgotten_makes_no_ghost(book, ask):
    """A run that went between a look at it and a wish stays gone, and nobody is rung for it."""
    run_id = accepted(book, "develop", 1)
    messages = book.backlog("deploy")
    assert book.prune(keep=0, days=90) == 1
    ask(book, run_id)
    assert book.history.run(run_id) is None
    assert not book.redis.exists(keys.run(run_id))
    assert book.overdue(0).reports == []
    assert book.backlog("deploy") == messages


def test_the_newest_deploy_of_each_branch_is_found(book):
    """Checks on top of it do not hide it, a branch without one has none, and many are many."""
    wanted = {}
    for n in range(BRANCHES_AT_ONCE + 3):
        accepted(book, f"branch-{n}", 2 * n)
        wanted[f"branch-{n}"] = f"{2 * n + 1:040x}"
        accepted(book, f"branch-{n}", 2 * n + 1)
    for n, branch in enumerate(("branch-0", "branch-0", "topic")):
        accepted(book, branch, 1000 + n, purpose="check", environment=None)
    found = list(book.history.deployed())
    assert {run.order.branch: run.order.commit for run in found} == wanted
    assert len(found) == len(wanted)


def test_the_runs_of_a_branch_cost_no_round_trip_each(book):
    """Fifty checks of a branch are read in one go, not one after another."""
    for n in range(50):
        book.take_on(order(ref="refs/heads/topic", commit=f"{n:040x}", purpose="check"))
    before = reads(book)
    assert list(book.history.deployed()) == []
    assert 0 < reads(book) - before < 10


def reads(book):
    """How often Redis has heard from its clients."""
    return book.redis.info("stats")["total_reads_processed"]
