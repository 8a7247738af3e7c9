"""Runs at any point of their life, made as a worker makes them."""

import itertools
import uuid

from redis import Redis

from workers.ledger import Ledger
from workers.ledger.lease import Lease
from workers.ledger.model.order import Order, PullRequest
from workers.ledger.model.run import StageRecord, StageState, State
from workers.ledger.model.stages import stages_of

LIMIT = 2_000_000
REPOSITORY = "watchlist/movies-loader"
_numbers = itertools.count(1)


def order(**changes: object) -> Order:
    """An order for a commit of its own; `pull=7` gives it a pull request."""
    commit = f"{next(_numbers):040x}"[::-1]
    number = changes.pop("pull", None)
    fields: dict[str, object] = {
        "repository": REPOSITORY,
        "repository_id": 7,
        "clone_url": f"https://github.example/{REPOSITORY}.git",
        "ref": "refs/heads/develop",
        "commit": commit,
        "purpose": "deploy" if changes.get("environment", "sandbox") else "check",
        "environment": "sandbox",
        "pull_request": PullRequest(number=number, head=commit) if number else None,
        "sender": "ada",
    }
    return Order.model_validate(fields | changes)


class Work:
    """One run and the lease on it."""

    def __init__(self, redis: Redis, **changes: object) -> None:
        self.ledger = Ledger(redis)
        self.order = order(**changes)
        stages = stages_of(self.order)
        self.id = self.ledger.accept(self.order, str(uuid.uuid4()), stages, "build").run_id
        self.records = tuple(StageRecord(name=name) for name in stages)
        self._lease: Lease | None = None

    @property
    def lease(self) -> Lease:
        """The lease, taken at first use."""
        if self._lease is None:
            taken = self.ledger.lease(self.id, "w", str(uuid.uuid4()), seconds=60, capacity=99)
            assert isinstance(taken, Lease)
            self._lease = taken
        return self._lease

    def stage(self, name: str, state: StageState, **changes: object) -> "Work":
        """One stage is in this state now."""
        update = {"state": state, **changes}
        self.records = tuple(
            record.model_copy(update=update) if record.name == name else record
            for record in self.records
        )
        self.lease.stages(self.records)
        return self

    def say(self, text: str, source: str = "unit") -> "Work":
        """The run's log gets this text."""
        self.lease.say(source, text, LIMIT)
        return self

    def end(self, state: State = State.SUCCEEDED, fault: str = "", why: str = "") -> "Work":
        """The run has its verdict."""
        self.lease.finish(state, self.records, fault, why)
        return self
