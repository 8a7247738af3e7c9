"""A Slipway goes on with the runs of the version before, whose processes write no more."""

import time

import pytest
import requests

from tests import former
from tests.e2e.conftest import PIPELINE, REPOSITORY, small
from tests.e2e.test_accounts import DEV, PROD, account, start, to_master, version  # noqa: F401
from tests.stand_ins.slipway import TOKEN

pytestmark = pytest.mark.e2e
RULES = 'approval = { required = 1, timeout = "2h" }'
SLOW = PIPELINE.replace("python -c 'import index'", "sleep 15")


@pytest.fixture(scope="session")
def before(tmp_path_factory):
    """The code of the version before."""
    return former.tree(tmp_path_factory.mktemp("before"), former.UNNUMBERED)


def until(look, seconds, world, run):
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, world.story(run)
        time.sleep(0.2)
    return found


def state(world, run):
    """A run's state now."""
    return world.slipway.run(run["id"])["state"]


def test_all_runs_of_the_version_before_end_right(start, aws, redis, before):  # noqa: F811
    """One waits for people, one is at work; none of the processes was stopped.

    The worker of before is told and writes nothing more; what GitHub delivers to its web process
    gets 503, and is found all the same.
    """
    dev, prod = account(aws, DEV, "packages-dev"), account(aws, PROD, "packages-prod")
    old = start(RULES, root=before)
    one = old.push(small(index__py="A = 1\n"))
    old.ended(one, environment="dev")
    asked = to_master(old, one)
    until(lambda: state(old, asked) == "waiting", 90, old, asked)
    two = old.push(small(index__py="A = 2\n", slipway__toml=SLOW))
    at_work = old.run_of(two, environment="dev")
    until(lambda: state(old, at_work) == "running", 60, old, at_work)
    assert redis.exists("slipway:runs")

    world = start(RULES, folder="new", hook=False, SLIPWAY_POLL_SECONDS="2")
    assert redis.type("slipway:runs") == "string"
    assert {run["id"] for run in world.slipway.runs()} >= {asked["id"], at_work["id"]}
    worker = old.slipway.processes["worker"]
    until(lambda: "WRONGTYPE" in worker.log.read_text(), 60, world, at_work)

    three = old.github.commit(REPOSITORY, "develop", small(index__py="A = 3\n"), "Meanwhile")
    (delivery,) = old.github.push_event(REPOSITORY, "develop")
    assert delivery.status_code == 503
    assert "WRONGTYPE" in old.slipway.processes["web"].log.read_text()
    world.run_of(three, seconds=90, environment="dev")
    world.ended(three, environment="dev")
    assert world.ended(two, environment="dev")["state"] in ("succeeded", "superseded")
    assert version(dev) in ("2", "3")
    assert state(world, asked) == "waiting"
    answer = requests.post(
        f"{world.slipway.url}/api/v1/runs/{asked['id']}/approve",
        json={},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=10,
    )
    assert answer.ok, answer.text
    run = world.ended(one, environment="prod")
    assert (run["id"], run["state"]) == (asked["id"], "succeeded")
    assert version(prod) == "1"
