"""A Redis that could lose what it is told is refused."""

import pytest
import redis as redis_py
from redis.exceptions import ConnectionError as RedisConnectionError

from local.redis import EmbeddedRedis
from tests.ledger.conftest import guest
from workers.ledger.connection import LedgerError, hasty, refuse_lossy


def version(client):
    """Major and minor version of a server."""
    return tuple(map(int, client.info()["redis_version"].split(".")[:2]))


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
        if version(client) >= (7, 2):
            pytest.skip("this Redis has WAITAOF")
        assert client.config_get("appendfsync") == {"appendfsync": "always"}


@pytest.mark.parametrize(
    ("appendfsync", "rights", "refused"),
    [
        ("always", ["-config", "+config|get"], False),
        ("always", ["-config"], True),
        ("everysec", ["-config", "+config|get"], True),
        ("everysec", ["-config"], True),
    ],
)
def test_an_old_redis_must_show_that_it_syncs_each_write(tmp_path, appendfsync, rights, refused):
    """Before WAITAOF, one that forbids CONFIG SET is taken where CONFIG GET says `always`."""
    with EmbeddedRedis(tmp_path, appendfsync=appendfsync) as server:
        if version(redis_py.Redis.from_url(server.url)) >= (7, 2):
            pytest.skip("this Redis has WAITAOF")
        url = guest(server, rights)
        if refused:
            assert "config" in refuse_lossy(url).lower()
            with pytest.raises(RedisConnectionError):
                hasty(url).ping()
        else:
            assert refuse_lossy(url) is None
            assert hasty(url).ping()


def test_a_redis_that_is_not_there_is_not_judged(tmp_path):
    """Out of reach is no reason to refuse: it may come back."""
    server = EmbeddedRedis(tmp_path)
    assert "refused" in refuse_lossy(server.url)
