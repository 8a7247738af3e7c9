"""The same order asked once more: a run that stands is kept, one without a verdict is run again."""

import pytest

from tests.ledger.conftest import STAGES
from tests.orders import order, pull_request
from workers.ledger import keys
from workers.ledger.model.run import State

A, B = "a" * 40, "b" * 40
MERGED = order(pull_request=pull_request())
ENDED = [("failed", "user"), ("failed", "ours"), ("cancelled", ""), ("superseded", "")]


def check(number=3, head=A, **more):
    """A check of a pull request's head."""
    pull = pull_request(number, head, base="develop", environment="sandbox")
    return order(purpose="check", environment=None, pull_request=pull, commit=head, **more)


def end(book, run_id, state="succeeded", fault="", *, live=False):
    """End a run; what is `live` is on record as such."""
    lease = book.leased(run_id, f"worker of {run_id}")
    if live:
        wanted = book.history.run(run_id).order
        row = {"commit": wanted.commit, "repository": wanted.repository, "run": run_id}
        row["source"] = wanted.source.model_dump()
        lease.live("sandbox", [("eu-west-3/F/sandbox", row)])
    lease.finish(State(state), (), fault, "" if state == "succeeded" else "why")


def came(book, wanted=None, delivery="again"):
    """Whether a delivery makes a new run."""
    return book.accept(wanted or order(), delivery, STAGES, "build").fresh


@pytest.mark.parametrize(("state", "fault"), ENDED)
def test_a_push_of_what_has_no_verdict_gets_a_new_run(book, state, fault):
    """Once: while that run is under way, another push is the same one."""
    first = book.take_on(delivery="d1")
    assert not came(book, delivery="d2"), "it is under way"
    end(book, first, state, fault)
    assert came(book, delivery="d3")
    assert not came(book, delivery="d4")
    assert not came(book, delivery="d1"), "the same delivery has the old run"


@pytest.mark.parametrize(("state", "fault"), ENDED)
@pytest.mark.parametrize("first", ["push", "merge"])
def test_the_second_event_of_a_merge_makes_no_second_run(book, first, state, fault):
    """However quickly the first one's run has ended: both tell of one push."""
    one, other = (order(), MERGED) if first == "push" else (MERGED, order())
    run_id = book.take_on(one, "d1")
    end(book, run_id, state, fault)
    assert not came(book, other, "d2")
    assert book.history.run(run_id).order.pull_request == pull_request()
    assert came(book, order(), "d3"), "that is another push"


def test_a_run_that_somebody_has_cancelled_is_no_verdict(book):
    """Though its worker has not heard of it yet; what must be finished first is kept."""
    run_id = book.take_on(delivery="d1")
    lease = book.leased(run_id)
    assert book.cancel(run_id, "ada") == "asked"
    lease.write(unfinished="yes")
    assert not came(book, delivery="d2")
    lease.write(unfinished="")
    assert came(book, delivery="d3")


def test_a_reset_to_what_was_live_gets_a_new_run(book):
    """A push that comes again does not, whatever is live; a reset to what is live does not."""
    end(book, book.take_on(order(commit=A), "a"), live=True)
    end(book, book.take_on(order(commit=B), "b"), live=True)
    assert not came(book, order(commit=B), "b again")
    assert came(book, order(commit=A), "reset")
    assert not came(book, order(commit=A), "reset again")


def test_a_reset_to_what_is_live_has_its_run_already(book):
    """What was pushed in between has never gone live, and has not begun to."""
    end(book, book.take_on(order(commit=A), "a"), live=True)
    other = book.take_on(order(commit=B), "b")
    assert not came(book, order(commit=A), "reset")
    assert not came(book, order(commit=B), "b once more"), "it is under way"
    book.leased(other).write(unfinished="yes")
    assert came(book, order(commit=A), "reset while b moves")


def test_what_others_made_live_does_not_matter(book):
    """Other repositories have records of their own in the same environment."""
    end(book, book.take_on(order(commit=A), "a"), live=True)
    book.take_on(order(commit=B), "b")
    foreign = {"repository": "octo/other", "repository_id": 8, "commit": B}
    end(book, book.take_on(order(**foreign), "c"), live=True)
    assert not came(book, order(commit=A), "reset")


def test_what_is_older_than_the_newest_deploy_comes_late(book):
    """A late delivery of a merge says nothing of where the branch is."""
    end(book, book.take_on(order(commit=A), "a"), live=True)
    end(book, book.take_on(order(commit=B), "b"), live=True)
    assert not came(book, order(commit=A, pull_request=pull_request()), "late")


@pytest.mark.parametrize(("state", "fault"), ENDED)
def test_a_pull_request_that_came_back_to_a_head_is_checked_again(book, state, fault):
    """Reset or reopened; another pull request of that head has its verdict, if it is one."""
    end(book, book.take_on(check(), "d1"), state, fault)
    assert came(book, check(number=4), "d2") is ((state, fault) != ("failed", "user"))
    assert came(book, check(), "d3") is ((state, fault) == ("failed", "user"))


def test_a_pull_request_that_passed_stays_so(book):
    """Reopened, it has its verdict."""
    end(book, book.take_on(check(), "d1"))
    assert not came(book, check(), "d2")


def test_the_same_head_for_another_base_is_another_check(book):
    """It builds for another environment."""
    book.take_on(check(), "d1")
    pull = pull_request(4, A, base="master", environment="production")
    assert came(book, order(purpose="check", environment=None, pull_request=pull), "d2")


def test_the_poll_runs_what_failed_only_when_the_branch_moved(book):
    """As long as the head is where it was known to be, it changes nothing."""
    end(book, book.take_on(order(commit=A), "a"), "failed", "user")
    assert not came(book, order(commit=A), "poll:1:a")
    end(book, book.take_on(order(commit=B), "b"))
    assert came(book, order(commit=A), "poll:2:a")


def test_what_takes_a_merges_place_tells_the_merged_head(book):
    """The pull request goes along to the new run."""
    end(book, book.take_on(MERGED, "merge"), "cancelled")
    assert not came(book, order(), "push")
    again = book.accept(order(), "push again", STAGES, "build")
    assert again.fresh
    assert book.history.run(again.run_id).order.pull_request == pull_request()


def test_a_retry_takes_the_place_of_its_run_alone(book):
    """Whatever a delivery would do."""
    first = book.take_on(delivery="d1")
    end(book, first, "failed", "user")
    again = book.accept(order(), "", STAGES, "build", instead_of=first)
    assert again.fresh
    assert book.history.replaced(book.history.run(first))
    assert not book.history.replaced(book.history.run(again.run_id))
    assert not book.accept(order(), "", STAGES, "build", instead_of=first).fresh


def test_where_a_branch_is_known_to_be_is_forgotten_with_it(book):
    """Nothing is left of a branch without runs."""
    run_id = book.ended(book.take_on(delivery="d1"))
    assert book.redis.hgetall(keys.TIPS)
    book.prune(0, 0)
    assert book.history.run(run_id) is None
    assert book.redis.hgetall(keys.TIPS) == {}
    assert book.redis.zcard(keys.RUNS) == 0


def test_whose_change_it_is_goes_along_to_the_new_run(book):
    """Whoever resets a branch, author and merger still may not approve their own change."""
    first = book.take_on(order(people=("ada",), pull_request=pull_request()), "merge")
    book.take_on(order(people=("bob",)), "push")
    end(book, first, "cancelled")
    again = book.accept(order(people=("eve",)), "push again", STAGES, "build")
    assert again.fresh
    assert set(book.history.run(again.run_id).order.people) == {"ada", "bob", "eve"}
