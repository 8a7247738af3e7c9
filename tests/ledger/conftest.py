"""A ledger on the real Redis."""

import pytest
from redis import Redis

from local.ports import HOST
from local.redis import EmbeddedRedis
from tests.orders import order
from workers.ledger import Ledger
from workers.ledger.lease import Lease
from workers.ledger.model.order import Order
from workers.ledger.model.run import State

STAGES = ("checkout", "test", "build", "publish", "deploy", "release")


class Book(Ledger):
    """A ledger with the calls that tests repeat."""

    def take_on(self, wanted: Order | None = None, delivery: str = "") -> str:
        """Accept an order; its run's id."""
        return self.accept(wanted or order(), delivery, STAGES, "build").run_id

    def leased(self, run_id: str, owner: str = "w1", **limits: float) -> Lease:
        """Take a run, which must be possible."""
        taken = self.try_lease(run_id, owner, **limits)
        assert isinstance(taken, Lease), taken
        return taken

    def ended(self, run_id: str, *, told: bool = True) -> str:
        """Have a run succeed, and tell of it unless its report is to stay owed; its id."""
        lease = self.leased(run_id, f"worker of {run_id}")
        lease.finish(State.SUCCEEDED, ())
        if told:
            begun = self.report_begin(run_id, "t", 5)
            assert begun
            self.report_end(run_id, "t", begun[0], "{}")
        return run_id

    def try_lease(self, run_id, owner="w1", nonce=None, seconds=30.0, capacity=3):
        """Take a run, or hear why not."""
        return self.lease(run_id, owner, nonce or f"{owner}-n", seconds=seconds, capacity=capacity)


def guest(server: EmbeddedRedis, rights: list[str]) -> str:
    """The URL of a user who may do anything but what these rights take away."""
    with Redis.from_url(server.url) as owner:
        owner.acl_setuser(
            "guest", True, passwords=["+secret"], keys=["*"], commands=["+@all", *rights]
        )
    return f"redis://guest:secret@{HOST}:{server.port}/0"


@pytest.fixture
def book(redis: Redis) -> Book:
    """An empty ledger."""
    return Book(redis)
