"""What GitHub shows as pending of runs that were lost with Redis's disk is settled by the poll."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from redis import Redis

from local.redis import EmbeddedRedis
from tests.inside import Inside
from tests.stand_ins.github import GitHub
from workers import report as reporting
from workers.github.survey import Survey
from workers.ledger import keys
from workers.ledger.model.run import Run
from workers.upkeep import lost_runs, poll, sweep

REPOSITORY = "octo/movies-loader"
DEPLOY = "slipway/deploy/sandbox"
OPERATOR = """
[environments.sandbox]
branch = "develop"

[[repositories]]
name = "%s"
"""


class Lost:
    """A Slipway whose Redis can lose everything."""

    def __init__(self, inside: Inside) -> None:
        self.inside, self.github, self.redis = inside, inside.github, inside.redis

    def push(self, text: str, *, tell: bool = True) -> str:
        """A commit on the branch that deploys, shown as pending if Slipway is told; its id."""
        commit = str(self.github.commit(REPOSITORY, "develop", {"a": text}))
        if tell:
            self.report(self.inside.told(REPOSITORY, "develop"))
        return commit

    def pull(self) -> Any:
        """An open pull request whose check is pending."""
        base = [self.github.head(REPOSITORY, "develop")]
        self.github.commit(REPOSITORY, "feature", {"b": "1"}, parents=base)
        pull = self.github.open_pull_request(REPOSITORY, "feature", "develop")
        payload = {
            "action": "opened",
            "number": pull.number,
            "repository": self.github.push_payload(REPOSITORY, "feature")["repository"],
            "sender": {"login": "ada", "type": "User"},
            "pull_request": {
                "head": self.side("feature", pull.head_sha),
                "base": self.side("develop", pull.base_sha),
            },
        }
        self.report(str(self.inside.deliver("pull_request", payload)["run_id"]))
        return pull

    def side(self, branch: str, sha: str) -> dict[str, Any]:
        """One side of a pull request."""
        repository = self.github.push_payload(REPOSITORY, "feature")["repository"]
        return {"ref": branch, "sha": sha, "repo": repository}

    def report(self, run_id: str) -> None:
        """Tell GitHub of a run."""
        reporting.report(self.inside.shop, run_id, "token")

    def shows(self, commit: str) -> dict[str, tuple[str, str]]:
        """State and description of each context of a commit."""
        latest = self.github.latest(REPOSITORY, commit)
        return {name: (one.state, one.description) for name, one in latest.items()}

    def states(self, commit: str) -> dict[str, str]:
        """The state of each context of a commit."""
        return {name: state for name, (state, _) in self.shows(commit).items()}

    def lose(self) -> None:
        """Lose the ledger; nothing but the poll would notice what is pending still."""
        self.redis.flushdb()
        sweep.sweep(self.inside.shop)
        assert self.runs() == {}

    def runs(self) -> dict[str, Run]:
        """All runs by their id."""
        return {one: self.inside.run(one) for one in self.redis.zrange(keys.RUNS, 0, -1)}

    def polled(self) -> list[Run]:
        """The runs that there are after a poll, each told to GitHub."""
        poll.poll(self.inside.shop)
        runs = self.runs()
        for run_id in runs:
            self.report(run_id)
        return list(runs.values())

    def end(self) -> None:
        """Walk all runs to their end, as workers do, and tell GitHub."""
        for run_id in self.runs():
            self.inside.ended(run_id)
            self.report(run_id)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """GitHub with one repository."""
    with GitHub(tmp_path / "hub") as github:
        github.create_repository(REPOSITORY)
        github.commit(REPOSITORY, "develop", {"a": "0"})
        yield github


@pytest.fixture
def make(tmp_path: Path, github: GitHub, redis: Redis, redis_server: EmbeddedRedis) -> Any:
    """Makes a Slipway by a repository's name or pattern, and settings."""

    def call(name: str = REPOSITORY, **settings: Any) -> Lost:
        chosen = {"queues": "build", **settings}
        return Lost(Inside(tmp_path / "slipway", OPERATOR % name, redis_server, github, **chosen))

    return call


@pytest.fixture
def lost(make: Any) -> Lost:
    """One whose operator names the repository."""
    found: Lost = make()
    return found


@pytest.fixture(scope="module")
def key() -> str:
    """A GitHub App's private key."""
    pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return pair.private_bytes(kind, form, serialization.NoEncryption()).decode()


def test_the_head_of_a_branch_is_deployed_anew(lost):
    """What was pending when Redis lost everything gets a new run, whose end GitHub is told."""
    commit = lost.push("1")
    lost.lose()
    assert lost.states(commit) == {DEPLOY: "pending"}
    (run,) = lost.polled()
    assert (run.order.commit, run.order.purpose) == (commit, "deploy")
    assert run.order.environment == "sandbox"
    assert run.order.sender is None
    lost.end()
    assert lost.states(commit)[DEPLOY] == "failure", "it has no slipway.toml"


def test_the_head_of_an_open_pull_request_is_checked_anew(lost):
    """Both of its contexts come to an end."""
    pull = lost.pull()
    lost.lose()
    assert set(lost.states(pull.head_sha).values()) == {"pending"}
    (run,) = lost.polled()
    assert (run.order.commit, run.order.purpose) == (pull.head_sha, "check")
    assert run.order.pull_request.number == pull.number
    assert run.order.target == "sandbox"
    lost.end()
    assert "pending" not in lost.states(pull.head_sha).values()


def test_a_merged_head_hears_of_the_new_run(lost):
    """The merge commit's new run tells the pull request's head, too."""
    pull = lost.pull()
    lost.end()
    merged = lost.github.merge(pull)
    old = lost.inside.shop.settings.url + "/runs/00000000-0000-4000-8000-000000000000"
    for sha in (merged.merge_commit_sha, pull.head_sha):
        lost.github.add_status(REPOSITORY, sha, "pending", DEPLOY, "Deploying", old)
    lost.lose()
    (run,) = lost.polled()
    assert run.order.commit == merged.merge_commit_sha
    assert run.order.pull_request.head == pull.head_sha
    lost.end()
    assert lost.states(merged.merge_commit_sha)[DEPLOY] == "failure"
    assert lost.states(pull.head_sha)[DEPLOY] == "failure"


def test_what_is_no_head_any_more_hears_what_happened(lost):
    """A commit that was being superseded, and a pull request that was closed: no new run."""
    older = lost.push("1")
    pull = lost.pull()
    lost.push("2", tell=False)
    lost.github.close(pull)
    lost.lose()
    assert lost.polled() == []
    for commit in (older, pull.head_sha):
        for state, why in lost.shows(commit).values():
            assert state == "error"
            assert "record of this run was lost" in why
            assert "push a new commit" in why


def test_what_a_lock_held_is_not_released_by_itself(lost):
    """The lock was lost as well, so people are asked."""
    commit = lost.push("1")
    url = lost.github.latest(REPOSITORY, commit)[DEPLOY].target_url
    lost.github.add_status(REPOSITORY, commit, "pending", DEPLOY, "Held: ada has locked it", url)
    lost.lose()
    assert lost.polled() == []
    ((state, why),) = lost.shows(commit).values()
    assert state == "error"
    assert "Held when Slipway's record was lost: push a new commit" in why


def test_what_others_say_is_left_alone(lost):
    """Statuses of other tools, of another Slipway, and those that have come to their end."""
    commit = lost.push("1", tell=False)
    url = lost.inside.shop.settings.url
    told = [
        ("pending", "ci/other", None),
        ("pending", "slipway/deploy/sandbox", "https://other.example.com/runs/x"),
        ("success", "slipway/test", f"{url}/runs/x"),
    ]
    for state, context, target in told:
        lost.github.add_status(REPOSITORY, commit, state, context, "d", target)
    before = lost.shows(commit)
    assert lost.polled() == []
    assert lost.shows(commit) == before


def test_a_run_that_is_known_is_left_alone(lost):
    """As long as nothing is lost the poll makes nothing anew, and says nothing."""
    commit = lost.push("1")
    before = lost.shows(commit)
    poll.poll(lost.inside.shop)
    assert len(lost.runs()) == 1
    assert lost.shows(commit) == before


def test_a_lost_run_is_made_anew_once(lost):
    """However often the poll sees its status, and whoever is quicker."""
    commit = lost.push("1")
    lost.lose()
    again = lost.inside.told(REPOSITORY, "develop")
    poll.poll(lost.inside.shop)
    for mark in lost.redis.keys(f"{keys.ONCE}statuses*"):
        lost.redis.delete(mark)
    poll.poll(lost.inside.shop)
    assert list(lost.runs()) == [again]
    assert lost.states(commit) == {DEPLOY: "pending"}


@pytest.mark.parametrize("app", [False, True])
def test_a_pattern_is_filled_by_what_github_shows(make, key, app):
    """The ledger that was lost knows no repository: a token's or an App's are asked for."""
    more = {"github_token": "", "github_app_id": "1", "github_app_private_key": key} if app else {}
    lost = make("octo/*", **more)
    commit = lost.push("1")
    lost.lose()
    (run,) = lost.polled()
    assert run.order.commit == commit


def test_each_repository_is_looked_at_once_a_day(lost):
    """A second poll asks for no statuses; a GitHub that was away is asked at the next one."""
    lost.push("1")
    lost.lose()
    fault = lost.github.fail_next("GET", f"^/repos/{REPOSITORY}/pulls", times=1, status=502)
    poll.poll(lost.inside.shop)
    assert fault.struck == 1
    assert lost.runs() == {}
    poll.poll(lost.inside.shop)
    assert len(lost.runs()) == 1
    before = len(lost.github.requests)
    poll.poll(lost.inside.shop)
    paths = [request.path for request in lost.github.requests[before:]]
    assert not [path for path in paths if path.endswith(("/status", "/pulls"))]


def test_a_poll_asks_a_bounded_number_of_questions(lost):
    """What it can't look at is left to the next poll."""
    other = "octo/second"
    lost.github.create_repository(other)
    survey = Survey(lost.inside.shop.github)
    survey.asked = lost_runs.MOST_ASKED
    commit = lost.push("1")
    lost.lose()
    lost_runs.settle(lost.inside.shop, survey)
    assert lost.runs() == {}
    lost_runs.settle(lost.inside.shop)
    assert [run.order.commit for run in lost.runs().values()] == [commit]


def test_a_repository_that_nobody_sees_keeps_no_other_waiting(make):
    """It is asked about once an hour, and the poll goes on."""
    lost = make('octo/away"\n[[repositories]]\nname = "' + REPOSITORY)
    commit = lost.push("1")
    lost.lose()
    assert [run.order.commit for run in lost.polled()] == [commit]


def test_the_head_of_a_forks_pull_request_is_left_alone(lost):
    """Its code is not run here, whoever has put our status on it."""
    lost.github.commit(REPOSITORY, "theirs", {"c": "1"})
    pull = lost.github.open_pull_request(REPOSITORY, "theirs", "develop", fork=True)
    url = f"{lost.inside.shop.settings.url}/runs/x"
    lost.github.add_status(REPOSITORY, pull.head_sha, "pending", "slipway/test", "d", url)
    assert lost.polled() == []
