"""A Slipway goes on with what the version before it has left, which knew no account of a place."""

import json
import time

import pytest

from tests import former
from tests.e2e.conftest import FUNCTION, small
from tests.e2e.test_accounts import DEV, PROD, account, start, to_master, version  # noqa: F401
from tests.stand_ins.aws import REGION
from workers.ledger import keys

pytestmark = pytest.mark.e2e
BEFORE = "088d4fc"
"""The last commit whose records name no account."""


@pytest.fixture(scope="session")
def before(tmp_path_factory):
    """The code of the version before."""
    return former.tree(tmp_path_factory.mktemp("before"), BEFORE)


def places(redis, key=keys.LIVE):
    """What is live, by place."""
    return {name: json.loads(text) for name, text in redis.hgetall(key).items()}


def test_what_the_version_before_has_released_is_known(start, aws, redis, before):  # noqa: F811
    """Nothing is lost, nothing drifts, a rollback works; and taking over again changes nothing."""
    dev, prod = account(aws, DEV, "packages-dev"), account(aws, PROD, "packages-prod")
    old = start(root=before)
    one = old.push(small(index__py="A = 1\n"))
    old.ended(one, environment="dev")
    to_master(old, one)
    old.ended(one, environment="prod")
    two = old.push(small(index__py="A = 2\n"))
    old.ended(two, environment="dev")
    assert set(places(redis, "slipway:live")) == {f"{REGION}/{FUNCTION}/live"}, (
        "the version before has other records"
    )
    old.slipway.stop()
    assert (version(dev), version(prod)) == ("2", "1")

    world = start(port=old.slipway.port, SLIPWAY_POLL_SECONDS="2")
    mine = {f"{number}/{REGION}/{FUNCTION}/live" for number in (DEV, PROD)}
    log = world.slipway.folder / "worker.log"
    world.slipway.processes["worker"].wait_until(
        lambda: "records_taken_over" in log.read_text(), "the records are taken over"
    )
    found = places(redis)
    assert set(found) == mine
    assert {name: what["commit"] for name, what in found.items()} == {
        f"{DEV}/{REGION}/{FUNCTION}/live": two,
        f"{PROD}/{REGION}/{FUNCTION}/live": one,
    }
    for number, count in ((DEV, 2), (PROD, 1)):
        assert redis.hlen(f"{keys.PUBLISHED}{number}/{REGION}/{FUNCTION}") == count
    assert not redis.exists(f"{keys.PUBLISHED}{FUNCTION}")
    looked_at = time.time() * 1000
    while any(
        json.loads(text)["at"] < looked_at for text in redis.hgetall(keys.OBSERVED).values()
    ) or not redis.hlen(keys.OBSERVED):
        time.sleep(0.2)
    assert "drift_begins" not in log.read_text()

    world.slipway.stop()
    world = start(port=old.slipway.port)
    assert places(redis) == found
    told = log.read_text()
    assert told.count("records_taken_over") == 1

    to_master(world, two)
    run = world.ended(two, environment="prod")
    assert run["state"] == "succeeded"
    assert "by hand" not in world.slipway.log(run["id"])
    answer = world.slipway._http.post(
        f"{world.slipway.url}/api/v1/environments/prod/rollback", json={"to": one[:7]}, timeout=30
    )
    assert answer.status_code == 202, answer.text
    world_end = time.monotonic() + 60
    while world.slipway.run(answer.json()["run_id"])["state"] not in ("succeeded", "failed"):
        assert time.monotonic() < world_end
        time.sleep(0.2)
    assert (version(dev), version(prod)) == ("2", "1")
