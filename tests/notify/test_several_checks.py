"""One head in several pull requests: its contexts show the worst of those that are open."""

import pytest

from tests.orders import pull_request
from tests.stand_ins.github import TOKEN, GitHub
from workers.ledger import keys

TEST = "slipway/test"


class Head:
    """A commit that is the head of pull requests for several bases."""

    def __init__(self, office, hub):
        self.office = office
        self.hub = hub
        self.commit = hub.commit("octo/movies-loader", "feature", {"a": "b"})

    def check(self, number, base, environment, **more):
        """A pull request's check is taken on and begun; its run's id."""
        pull = pull_request(number, self.commit, base=base, environment=environment, **more)
        wanted = {"purpose": "check", "environment": None, "commit": self.commit}
        run_id = self.office.accept(**wanted, pull_request=pull)
        if run_id and self.office.shop.ledger.history.run(run_id).state == "queued":
            self.office.start(run_id)
        return run_id

    def close(self, number, base, environment):
        """The pull request is closed without a merge; the runs that have news."""
        before = {one: self.due(one) for one in self.office.redis.zrange(keys.RUNS, 0, -1)}
        assert self.check(number, base, environment, closed=True) == ""
        return [one for one, due in before.items() if self.due(one) and not due]

    def due(self, run_id):
        """Whether a report of the run is due."""
        return self.office.redis.zscore(keys.REPORTS, run_id) is not None

    def end(self, run_id, why=""):
        """A check ends, and GitHub is told."""
        self.office.end(run_id, "failed" if why else "succeeded", why)
        self.office.report(run_id)

    @property
    def shown(self):
        """State, text and page of the head's test."""
        one = self.hub.latest("octo/movies-loader", self.commit)[TEST]
        return one.state, one.description, one.target_url.rpartition("/")[2]


@pytest.fixture
def head(office, tmp_path):
    """A head on GitHub that nobody has asked anything of."""
    with GitHub(tmp_path / "hub") as hub:
        hub.create_repository("octo/movies-loader")
        office.set(github_token=TOKEN, github_api_url=hub.api_url)
        yield Head(office, hub)


def test_one_check_alone_names_no_base(head):
    """There is nothing to tell apart."""
    run = head.check(3, "develop", "sandbox")
    head.end(run)
    assert head.shown == ("success", "test done", run)


def test_two_pull_requests_for_one_environment_are_one_check(head):
    """Whatever it comes to, neither asks for another."""
    run = head.check(3, "develop", "sandbox")
    head.end(run, "unit failed")
    assert head.check(4, "develop", "sandbox") == run
    assert head.shown == ("failure", "unit failed", run)


@pytest.mark.parametrize("failing", [0, 1])
def test_the_worst_is_shown_and_named(head, failing):
    """Whichever of them ends first: a check that passes turns no other's failure green."""
    runs = [head.check(3, "develop", "sandbox"), head.check(4, "master", "production")]
    assert len(set(runs)) == 2
    head.end(runs[failing], "unit failed")
    head.end(runs[1 - failing])
    base = ("develop", "master")[failing]
    assert head.shown == ("failure", f"{base}: unit failed", runs[failing])


def test_what_is_closed_counts_no_longer(head):
    """The other one has news, and is shown alone."""
    good, bad = head.check(3, "develop", "sandbox"), head.check(4, "master", "production")
    head.end(good)
    head.end(bad, "unit failed")
    head.office.report(good)
    assert good in head.close(4, "master", "production")
    head.office.report(good)
    assert head.shown == ("success", "test done", good)


def test_a_check_that_came_first_and_passed_is_shown_again(head):
    """It was told when it was alone, and again when the other pull request is closed."""
    good = head.check(3, "develop", "sandbox")
    head.end(good)
    bad = head.check(4, "master", "production")
    head.end(bad, "unit failed")
    assert head.shown[0] == "failure"
    head.close(4, "master", "production")
    head.office.report(good)
    assert head.shown == ("success", "test done", good)


def test_a_retry_of_the_worst_clears_it(head):
    """The run that takes its place speaks for its base; the old one's late word is not told."""
    good, bad = head.check(3, "develop", "sandbox"), head.check(4, "master", "production")
    head.end(good)
    head.end(bad, "unit failed")
    order = head.office.shop.ledger.history.run(bad).order
    stages = ("checkout", "test", "build")
    again = head.office.shop.ledger.accept(order, "", stages, "build", instead_of=bad).run_id
    head.office.start(again)
    head.end(again)
    assert head.shown[0] == "success"
    head.office.redis.hset(keys.run(bad), "told", "{}")
    head.office.report(bad)
    assert head.shown[0] == "success"
