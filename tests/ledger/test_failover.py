"""Error replies that pass are waited out as a restart is; others are told at once."""

import time
from threading import Timer

import pytest
import redis as redis_py
from redis.exceptions import RedisError, ResponseError

from local.redis import EmbeddedRedis
from tests.ledger.conftest import STAGES
from tests.ledger.test_intake import Loop
from tests.orders import order
from tests.stand_ins.late_redis import LateRedis
from workers.ledger import Accepted, Ledger
from workers.ledger.connection import hasty, patient

PASSING = [
    "READONLY You can't write against a read only replica.",
    "READONLY You can't write against a read only replica. script: 0a, on @user_script:12.",
    "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "CLUSTERDOWN The cluster is down",
    "CLUSTERDOWN Hash slot not served",
    "MOVED 3999 127.0.0.1:6381",
    "ASK 3999 127.0.0.1:6381",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "NOREPLICAS Not enough good replicas to write.",
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "UNKILLABLE Sorry the script already executed write commands against the dataset.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "ERR Error running script (call to f_0a): @user_script:7: -READONLY You can't write.",
    "ERR max number of clients reached",
]
LASTING = [
    "ERR wrong number of arguments for 'set' command",
    "ERR Error running script (call to f_0a): @user_script:7: -WRONGTYPE Operation against a key",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "NOPERM this user has no permissions to run the 'set' command",
    "BUSYKEY Target key name already exists.",
]


@pytest.fixture
def server():
    """A Redis that answers with the errors that it is given."""
    with LateRedis() as running:
        running.may_sync.set()
        yield running


@pytest.mark.parametrize("error", PASSING)
def test_a_worker_waits_out_what_passes(server, error):
    """A write and a pipeline get through after two such replies, over new connections."""
    client = patient(server.url)
    server.errors = [error, error]
    assert client.set("a", "b")
    assert server.connections == 3
    server.errors = [error]
    with client.pipeline(transaction=False) as pipe:
        assert pipe.set("a", "b").execute() == [True]
    assert (server.errors, server.connections) == ([], 4)


@pytest.mark.parametrize("error", LASTING)
def test_what_does_not_pass_is_told_at_once(server, error):
    """Asking again would change nothing."""
    server.errors = [error, "the next"]
    with pytest.raises(ResponseError):
        patient(server.url).set("a", "b")
    assert server.errors == ["the next"]


@pytest.mark.parametrize("error", PASSING)
def test_the_web_process_answers_and_looks_for_another_server(server, error):
    """Each way of taking an order fails once, at once, and goes on over a new connection."""
    ledger = Ledger(hasty(server.url))
    server.errors = [error]
    with pytest.raises(RedisError):
        ledger.accept(order(), "d1", STAGES, "build")
    before = server.connections
    assert isinstance(ledger.accept(order(), "d1", STAGES, "build"), Accepted)
    assert server.connections == before + 1
    loop = Loop(server.url)
    loop.accept("first")
    loop.until(1)
    before, server.errors = server.connections, [error]
    loop.accept("second")
    assert isinstance(loop.until(2)["second"], RedisError)
    loop.accept("third")
    assert isinstance(loop.until(3)["third"], Accepted)
    assert server.connections > before
    loop.close()


def test_a_real_redis_that_turns_read_only_for_a_moment_is_waited_out(tmp_path):
    """A script and a transaction that begin meanwhile end when writes are taken again."""
    with EmbeddedRedis(tmp_path) as server, redis_py.Redis.from_url(server.url) as admin:
        client = patient(server.url)
        ledger = Ledger(client)
        admin.execute_command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(RedisError):
            Ledger(hasty(server.url)).accept(order(), "d1", STAGES, "build")
        Timer(1.5, admin.execute_command, ("REPLICAOF", "NO", "ONE")).start()
        began = time.monotonic()
        assert ledger.accept(order(), "d1", STAGES, "build").fresh
        assert 1 < time.monotonic() - began < 10
        admin.execute_command("REPLICAOF", "127.0.0.1", "1")
        Timer(1.0, admin.execute_command, ("REPLICAOF", "NO", "ONE")).start()
        with client.pipeline() as pipe:
            assert pipe.set("a", "b").execute() == [True]
