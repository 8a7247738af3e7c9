"""A Redis that refuses writes for half a minute, as a managed one does while it fails over."""

import time

import pytest
import redis as redis_py

from tests.e2e.conftest import REPOSITORY, small

pytestmark = pytest.mark.e2e


def test_all_processes_outlive_a_read_only_redis(world, redis_server):
    """Deliveries get 503 meanwhile, no process ends, and what is sent again goes live."""
    world.ended(world.push(small()))
    pids = {name: process.pid for name, process in world.slipway.processes.items()}
    client = redis_py.Redis.from_url(redis_server.url, decode_responses=True)
    # Its data stays, and writes are refused.
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        commit = world.github.commit(REPOSITORY, "develop", small(index__py="B = 1\n"), "Meanwhile")
        (delivery,) = world.github.push_event(REPOSITORY, "develop")
        assert delivery.status_code == 503
        time.sleep(30)
    finally:
        client.execute_command("REPLICAOF", "NO", "ONE")
    for name, process in world.slipway.processes.items():
        assert (process.running, process.pid) == (True, pids[name]), process.tail()
    world.github.redeliver(delivery.id)
    assert world.ended(commit)["state"] == "succeeded"
