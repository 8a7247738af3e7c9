"""A sweep rings for whatever the clock wakes, however much else waits."""

import base64
import json
import uuid

import pytest

from config import server
from config.settings import Settings
from tests.ledger.conftest import STAGES
from tests.orders import order
from workers.ledger import keys
from workers.ledger import messages as queue
from workers.ledger.model.run import State
from workers.pipeline.walk import advance
from workers.upkeep.sweep import ENOUGH, sweep
from workers.workshop import Workshop

OPERATOR = """
[environments.sandbox]
branch = "develop"

[[repositories]]
name = "octo/*"
"""


class Yard:
    """A worker for deploys, and the runs that wait beside it."""

    def __init__(self, shop, redis):
        self.shop = shop
        self.redis = redis
        self.ids = []

    def accept(self):
        """A new run, which waits for a build and has rung for it; its id."""
        wanted = order(commit=f"{len(self.ids):040x}")
        self.ids.append(self.shop.ledger.accept(wanted, "", STAGES, "build").run_id)
        return self.ids[-1]

    def leased(self, run_id):
        """A worker's hold on a run."""
        return self.shop.ledger.lease(run_id, "w", str(uuid.uuid4()), seconds=60, capacity=999)

    def deploys(self, **fields):
        """A run that was parked for a deploy worker, and is due; its id."""
        lease = self.leased(self.accept())
        if fields:
            lease.write(**fields)
        lease.park(State.WAITING, (), delay=0, queue="deploy")
        return lease.run_id

    def handed_over(self):
        """One of whose turn a deploy worker was told."""
        run_id = self.deploys()
        self.shop.ledger.ring(queue.ADVANCE, run_id, "deploy")
        return run_id

    def pass_time(self):
        """All that is due has been so for longer than a sweep's grace, in the order they came."""
        minute_ago = self.shop.ledger.now() - 60_000
        due = {run_id: minute_ago + n for n, run_id in enumerate(self.ids)}
        self.redis.zadd(keys.DUE, due, xx=True)

    def rung(self, on="deploy"):
        """The runs that workers are told to go on with, in the order in which they hear of it."""
        messages = reversed(self.redis.lrange(queue.key(on), 0, -1))
        opened = [json.loads(message) for message in messages]
        return [
            json.loads(base64.b64decode(one["body"]))[0][0]
            for one in opened
            if one["headers"]["task"] == "workers.advance"
        ]


@pytest.fixture
def yard(redis, redis_server, tmp_path):
    """A machine that only deploys."""
    settings = Settings(
        config="server.toml",
        data_dir=tmp_path,
        redis_url=redis_server.url,
        queues="deploy",
        github_webhook_secrets="a secret of the yard",
    )
    return Yard(Workshop(settings, server.parse(OPERATOR)), redis)


def test_a_parked_deploy_is_rung_behind_sixty_builds(yard):
    """Sixty accepted runs whose builds nobody takes up keep no deploy from its time."""
    builds = [yard.accept() for _ in range(60)]
    run_id = yard.deploys()
    yard.pass_time()
    sweep(yard.shop)
    assert yard.rung() == [run_id]
    assert yard.rung("build")[:60] == builds, "a queue that is full enough is left alone"
    assert len(yard.rung("build")) == 61


def test_a_canary_is_heard_before_the_deploys_that_wait(yard):
    """Its bell is at the head of a queue that is full, and is there once."""
    waiting = [yard.handed_over() for _ in range(60)]
    canary = yard.deploys(unfinished="yes")
    yard.pass_time()
    for _ in range(3):
        sweep(yard.shop)
    assert yard.rung() == [canary, *waiting]


def test_the_run_of_a_lost_worker_is_heard_before_the_others(yard):
    """An expired lease is rung for at the head of its queue, however full that is."""
    waiting = [yard.handed_over() for _ in range(60)]
    lost = yard.deploys()
    yard.leased(lost)
    yard.redis.zadd(keys.LEASES, {lost: 0})
    sweep(yard.shop)
    assert yard.rung() == [lost, *waiting]


def test_a_queue_that_is_nearly_empty_is_filled_from_the_oldest(yard):
    """What was rung for in vain is rung for again, up to what workers take in a moment."""
    waiting = [yard.deploys() for _ in range(ENOUGH + 5)]
    yard.pass_time()
    sweep(yard.shop)
    assert yard.rung() == waiting[:ENOUGH]


def test_a_free_slot_goes_to_a_run_that_this_worker_may_take(yard):
    """Older runs that wait for another machine's builds are not rung for in its place."""
    for _ in range(60):
        yard.accept()
    # It has no stage left, so that a visit ends it.
    ours = yard.deploys()
    next_one, canary = yard.deploys(), yard.deploys(unfinished="yes")
    assert advance(yard.shop, ours, "t") == "succeeded"
    assert yard.rung() == [canary]
    yard.redis.delete(queue.key("deploy"))
    yard.redis.hdel(keys.run(canary), "unfinished")
    yard.redis.zrem(keys.DUE, canary)
    another = yard.deploys()
    assert advance(yard.shop, another, "t2") == "succeeded"
    assert yard.rung() == [next_one]
