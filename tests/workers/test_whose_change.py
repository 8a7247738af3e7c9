"""Nobody approves what may be their own: who counts when bots push, whatever comes first."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from local.redis import EmbeddedRedis
from tests.inside import Inside
from tests.stand_ins.github import GitHub, events
from workers.ledger.lease import Lease
from workers.ledger.model.errors import PeopleError
from workers.ledger.model.run import StageRecord, StageState

REPOSITORY = "octo/movies-loader"
OPERATOR = """
[environments.production]
branch = "master"
approval = { approvers = ["alice", "bob"], self_approval = false }

[[repositories]]
name = "octo/*"
"""
QUEUE = {"login": "github-merge-queue[bot]", "type": "Bot"}
ALICE, BOB = ({"login": name, "type": "User"} for name in ("Alice", "bob"))


class Merge:
    """A merged pull request of which nobody has told; author, merger and pusher are chosen."""

    def __init__(self, inside: Inside) -> None:
        github, self.inside = inside.github, inside
        github.commit(REPOSITORY, "master", {"a": "1"})
        github.commit(REPOSITORY, "feature", {"a": "2"})
        pull = github.open_pull_request(REPOSITORY, "feature", "master")
        self.before = pull.base_sha
        self.pull = github.merge(pull)

    def push(self, sender: Any) -> str:
        """The webhook of the push."""
        payload = self.inside.github.push_payload(REPOSITORY, "master", before=self.before)
        payload["sender"] = payload["sender"] | sender if sender else None
        return str(self.inside.deliver("push", payload)["run_id"])

    def close(self, sender: Any, author: Any, merger: Any) -> str:
        """The webhook of the pull request."""
        github = self.inside.github
        repos = (github.repository(REPOSITORY),) * 2
        payload = events.pull_request("closed", self.pull, repos, github.links)
        payload["sender"] |= sender
        payload["pull_request"] |= {"user": author, "merged_by": merger}
        return str(self.inside.deliver("pull_request", payload)["run_id"])

    def waits(self, run_id: str) -> None:
        """The run is built, and people are asked."""
        lease = self.inside.shop.ledger.lease(run_id, "w", "n", seconds=60, capacity=9)
        assert isinstance(lease, Lease)
        lease.write(packages=json.dumps({"MoviesLoader": "aGFzaA=="}))
        records = (StageRecord(name="approve", state=StageState.WAITING),)
        lease.wait(PeopleError(3600, "1:production"), records)

    def word(self, run_id: str, who: str) -> tuple[int, str]:
        """Somebody's approval: status, and why it does not count."""
        code, answer = self.inside.call(f"/runs/{run_id}/approve", who)
        return code, answer.get("detail", "")


@pytest.fixture
def merge(tmp_path: Any, redis: Redis, redis_server: EmbeddedRedis) -> Iterator[Merge]:
    """A merge by somebody, in a repository whose production asks people."""
    with GitHub(tmp_path / "hub") as github:
        github.create_repository(REPOSITORY)
        yield Merge(Inside(tmp_path / "slipway", OPERATOR, redis_server, github, queues="build"))


@pytest.mark.parametrize("first", ["push", "pull_request"])
@pytest.mark.parametrize(
    ("author", "merger"), [(ALICE, QUEUE), (QUEUE, ALICE), (ALICE, None), (ALICE, ALICE)]
)
def test_author_and_merger_may_not_approve_what_a_bot_pushed(merge, first, author, merger):
    """Whichever webhook comes first; somebody else may."""
    told = [lambda: merge.push(QUEUE), lambda: merge.close(QUEUE, author, merger)]
    run_id, again = (tell() for tell in (told if first == "push" else reversed(told)))
    assert run_id == again
    merge.waits(run_id)
    code, why = merge.word(run_id, "alice")
    assert (code, "somebody else must approve it" in why) == (403, True)
    assert merge.word(run_id, "bob")[0] == 202


def test_author_and_merger_may_not_approve_what_a_third_has_pushed(merge):
    """Who pushed is known, and the pull request's people count beside them."""
    run_id = merge.push(BOB)
    merge.close(BOB, ALICE, BOB)
    merge.waits(run_id)
    for who in ("alice", "bob"):
        assert merge.word(run_id, who)[0] == 403


@pytest.mark.parametrize("bot", [QUEUE, {"login": "deployer", "type": "Bot"}, {"login": "x[bot]"}])
def test_a_bot_alone_is_not_known(merge, bot):
    """Behind a bot may be anybody: as long as no pull request tells, no word counts."""
    run_id = merge.push(bot)
    merge.waits(run_id)
    for who in ("alice", "bob"):
        code, why = merge.word(run_id, who)
        assert (code, "no webhook has told who pushed" in why) == (403, True)
    merge.close(bot, ALICE, bot)
    assert merge.word(run_id, "alice")[0] == 403
    assert merge.word(run_id, "bob")[0] == 202


def test_what_people_pushed_others_approve(merge):
    """Without a bot nothing is unknown."""
    run_id = merge.push(BOB)
    merge.waits(run_id)
    assert merge.word(run_id, "bob")[0] == 403
    assert merge.word(run_id, "alice")[0] == 202
