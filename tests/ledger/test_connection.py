"""A Redis that could lose what it is told is refused."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.stand_ins.redis import EmbeddedRedis
from workers.ledger.connection import LedgerError, hasty, refuse_lossy


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"appendonly": "no"}, "appendonly yes"), ({"maxmemory_policy": "allkeys-lru"}, "noeviction")],
)
def test_a_redis_that_could_lose_data_is_refused(tmp_path, settings, word):
    """Without an append-only file, or with eviction, the process does not start."""
    with EmbeddedRedis(tmp_path, **settings) as server:
        with pytest.raises(LedgerError, match=word):
            refuse_lossy(server.url)
        with pytest.raises(RedisConnectionError, match=word):
            hasty(server.url).ping()


def test_an_old_redis_is_made_to_sync_each_write(tmp_path):
    """Before WAITAOF there is one way to be sure: appendfsync always, set when connecting."""
    with EmbeddedRedis(tmp_path, appendfsync="everysec") as server:
        client = hasty(server.url)
        if tuple(map(int, client.info()["redis_version"].split(".")[:2])) >= (7, 2):
            pytest.skip("this Redis has WAITAOF")
        assert client.config_get("appendfsync") == {"appendfsync": "always"}


def test_a_redis_that_is_not_there_is_not_judged(tmp_path):
    """Out of reach is no reason to refuse: it may come back."""
    server = EmbeddedRedis(tmp_path)
    assert "refused" in refuse_lossy(server.url)
