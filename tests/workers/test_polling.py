"""A push that no webhook told of is found; who pushed it is not made up."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from config.settings import settings as process_settings
from local.redis import EmbeddedRedis
from tests.inside import Inside
from tests.stand_ins.github import GitHub
from workers.ledger import keys
from workers.ledger.lease import Lease
from workers.ledger.model.errors import PeopleError
from workers.ledger.model.run import Run, StageRecord, StageState
from workers.upkeep import poll

REPOSITORY = "octo/movies-loader"
OPERATOR = """
[environments.production]
branch = "master"
approval = { approvers = ["alice", "bob"], self_approval = %s }

[[repositories]]
name = "octo/*"
"""


def slipway(folder: Any, redis_server: EmbeddedRedis, *, self_approval: str) -> Iterator[Inside]:
    """A Slipway that knows one push, of alice's, and has missed the next."""
    with GitHub(folder / "hub") as github:
        github.create_repository(REPOSITORY)
        operator = OPERATOR % self_approval
        inside = Inside(folder / "slipway", operator, redis_server, github, queues="build")
        github.commit(REPOSITORY, "master", {"a": "1"})
        pushed(inside, "alice")
        github.commit(REPOSITORY, "master", {"a": "2"})
        yield inside


@pytest.fixture
def inside(tmp_path: Any, redis: Redis, redis_server: EmbeddedRedis) -> Iterator[Inside]:
    """One in which nobody approves their own push."""
    yield from slipway(tmp_path, redis_server, self_approval="false")


@pytest.fixture
def lenient(tmp_path: Any, redis: Redis, redis_server: EmbeddedRedis) -> Iterator[Inside]:
    """One in which everybody may."""
    yield from slipway(tmp_path, redis_server, self_approval="true")


def pushed(inside: Inside, who: str) -> str:
    """GitHub's webhook tells of the branch, and who pushed it; the run's id."""
    payload = inside.github.push_payload(REPOSITORY, "master")
    payload["sender"]["login"] = who
    return str(inside.deliver("push", payload)["run_id"])


def found(inside: Inside) -> Run:
    """The run that the poll makes of the push that was missed."""
    before = set(inside.redis.zrange(keys.RUNS, 0, -1))
    poll.poll(inside.shop)
    (run_id,) = set(inside.redis.zrange(keys.RUNS, 0, -1)) - before
    return inside.run(run_id)


def waits(inside: Inside, run: Run) -> None:
    """The run is built, and people are asked."""
    lease = inside.shop.ledger.lease(run.id, "w", "n", seconds=60, capacity=9)
    assert isinstance(lease, Lease)
    lease.write(packages=json.dumps({"MoviesLoader": "aGFzaA=="}))
    records = (StageRecord(name="approve", state=StageState.WAITING),)
    lease.wait(PeopleError(3600, "1:production"), records)


def test_a_push_that_is_found_is_nobodys(inside):
    """It does not bear the name of who pushed before."""
    run = found(inside)
    assert run.order.commit == inside.github.head(REPOSITORY, "master")
    assert run.order.sender is None
    assert inside.run(pushed(inside, "alice")).id == run.id


def test_nobody_approves_what_may_be_their_own(inside):
    """As long as it is not known who pushed, no word counts, and everybody is told what to do."""
    run = found(inside)
    waits(inside, run)
    for who in ("alice", "bob"):
        code, problem = inside.call(f"/runs/{run.id}/approve", who)
        assert code == 403
        assert "no webhook has told who pushed this commit" in problem["detail"]
        assert "deliver that push again, or push a new commit" in problem["detail"]
    assert inside.run(run.id).asks


def test_the_delivery_that_comes_late_says_who_pushed(inside):
    """Then the one who pushed still may not approve it, and somebody else may."""
    run = found(inside)
    waits(inside, run)
    assert pushed(inside, "bob") == run.id
    assert inside.run(run.id).order.sender == "bob"
    code, problem = inside.call(f"/runs/{run.id}/approve", "bob")
    assert (code, "bob pushed this commit" in problem["detail"]) == (403, True)
    assert inside.call(f"/runs/{run.id}/approve", "alice")[0] == 202


def test_where_people_may_approve_their_own_push_anybody_may(lenient):
    """Who pushed does not matter there."""
    run = found(lenient)
    waits(lenient, run)
    assert lenient.call(f"/runs/{run.id}/approve", "bob")[0] == 202


def test_a_foreign_clone_url_keeps_no_branch_from_being_looked_at(inside, caplog):
    """Its run was refused; the next push that no webhook told of is found on the API's server."""
    payload = inside.github.push_payload(REPOSITORY, "master")
    payload["repository"]["clone_url"] = "https://elsewhere.example.com/octo/movies-loader.git"
    refused = inside.deliver("push", payload)["run_id"]
    assert "elsewhere" in (inside.ended(refused).error or "")
    inside.github.commit(REPOSITORY, "master", {"a": "3"})
    run = found(inside)
    assert run.order.commit == inside.github.head(REPOSITORY, "master")
    assert run.order.clone_url.startswith(inside.github.url)
    assert "poll_failed" not in caplog.text


def test_each_beat_that_starts_has_github_asked_soon(inside, monkeypatch):
    """The first poll is due at once; of those that come within half a period one asks."""
    from celery.beat import Scheduler

    from workers import app as room

    monkeypatch.setenv("SLIPWAY_CONFIG", str(inside.shop.settings.config))
    monkeypatch.setenv("GITHUB_WEBHOOK_SECRET", "a-secret-of-github")
    process_settings.cache_clear()
    try:
        entries = Scheduler(room.make(), lazy=True)
        entries.setup_schedule()
        assert entries.schedule["poll"].is_due()[0]
        assert not entries.schedule["sweep"].is_due()[0]
    finally:
        process_settings.cache_clear()
    before = len(inside.github.requests)
    poll.poll_in_turn(inside.shop, period=600)
    asked = len(inside.github.requests)
    assert asked > before
    poll.poll_in_turn(inside.shop, period=600)
    assert len(inside.github.requests) == asked


def test_the_period_is_that_of_the_beat_that_asks(inside):
    """A poll that a slow beat has begun does not hold up a quicker one's."""
    poll.poll_in_turn(inside.shop, period=600)
    asked = len(inside.github.requests)
    poll.poll_in_turn(inside.shop, period=0.001)
    assert len(inside.github.requests) > asked
