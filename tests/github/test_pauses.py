"""One worker that GitHub refuses is all workers: the limit is the token's, not the run's."""

import pytest
from redis import Redis

from tests.github.conftest import NAME
from tests.stand_ins.github import TOKEN, GitHub
from workers.github import statuses
from workers.github.client import GitHub as Client
from workers.github.faults import RateLimitedError
from workers.ledger import keys
from workers.ledger.pauses import Pauses

LIMITED = {"status": 429, "headers": {"Retry-After": "7"}}


def post(client: Client, sha: str) -> None:
    """Post a status."""
    statuses.post(client, NAME, sha, context="slipway/test", state="pending", description="Testing")


def test_a_limit_told_to_one_worker_holds_for_all(hub: GitHub, redis: Redis, sha: str) -> None:
    """No request reaches GitHub before the pause is over, whoever wants to send it."""
    one, other = (Client(hub.api_url, token=TOKEN, pauses=Pauses(redis)) for _ in range(2))
    hub.fail_next("POST", "/statuses/", **LIMITED)
    with pytest.raises(RateLimitedError):
        post(one, sha)
    assert hub.faults[0].struck
    for client in (one, other):
        with pytest.raises(RateLimitedError, match="GitHub has set a limit") as caught:
            post(client, sha)
        assert 5 < caught.value.retry_after <= 7
    assert len(hub.requests) == 1


def test_a_pause_ends_by_itself(hub: GitHub, redis: Redis, sha: str) -> None:
    """After it, the next call goes through."""
    pauses = Pauses(redis)
    client = Client(hub.api_url, token=TOKEN, pauses=pauses)
    pauses.begin("github:token", 7)
    with pytest.raises(RateLimitedError):
        post(client, sha)
    redis.pexpire(f"{keys.PAUSE}github:token", 1)
    while pauses.left("github:token"):
        pass
    post(client, sha)
    assert len(hub.requests) == 1


def test_nobody_waits_for_a_redis_that_is_away(hub: GitHub, sha: str) -> None:
    """Pauses are a courtesy: without Redis nobody knows of one, and GitHub is asked."""
    with Redis(port=9, socket_timeout=0.2) as away:
        post(Client(hub.api_url, token=TOKEN, pauses=Pauses(away)), sha)
    assert len(hub.requests) == 1
