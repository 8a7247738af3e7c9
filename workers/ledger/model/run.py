"""A run and its states; what may follow what stands in one table."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from workers.ledger.model.masked import Shown
from workers.ledger.model.order import Order
from workers.ledger.model.rollout import Rollout
from workers.ledger.model.stages import APPROVE


class State(StrEnum):
    """Where a run is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"

    @property
    def final(self) -> bool:
        """Whether nothing follows."""
        return not TRANSITIONS[self]


TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.FAILED, State.CANCELLED, State.SUPERSEDED}),
    State.RUNNING: frozenset(set(State) - {State.RUNNING}),
    State.WAITING: frozenset({State.RUNNING, State.FAILED, State.CANCELLED, State.SUPERSEDED}),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
    State.SUPERSEDED: frozenset(),
}
"""The moves that the ledger makes; its scripts refuse any other."""
BEGINS = State.QUEUED


class StageState(StrEnum):
    """Where one stage of a run is."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


class StageRecord(BaseModel):
    """One stage as the run remembers it; times in milliseconds since 1970."""

    model_config = ConfigDict(frozen=True)

    name: str
    state: StageState = StageState.PENDING
    started_at: int | None = None
    finished_at: int | None = None
    error: Shown | None = None
    summary: Shown | None = None


class Release(BaseModel):
    """What one function runs in one environment: version, alias and package hash (base64).

    `commits` are those that the version stands for, the one that it bears in AWS first; empty
    where it stands for no other than its run's. Commits of one tree share a version.
    """

    model_config = ConfigDict(frozen=True)

    function: str
    version: str | None = None
    alias: str | None = None
    sha256: str | None = None
    commits: tuple[str, ...] = ()


class Tests(BaseModel):
    """A check's JUnit XML summed up; `failing` names the first of those that failed."""

    model_config = ConfigDict(frozen=True)

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failing: tuple[Shown, ...] = ()


class Report(BaseModel):
    """A check's HTML report: its first page, size in bytes, and where S3 has it.

    `shown`: whether the web process can serve it; what is too large for that is only in S3.
    """

    model_config = ConfigDict(frozen=True)

    index: str | None = None
    files: int
    size: int
    archive: str | None = None
    shown: bool = True


class CheckRecord(BaseModel):
    """How one check ended, and what it left; `note` says what could not be read of that.

    `run` is the earlier run in which it passed, where the same git tree was not tested again.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    exit_code: int
    seconds: float
    timed_out: bool = False
    tests: Tests | None = None
    report: Report | None = None
    note: Shown | None = None
    run: str | None = None


class Untold(BaseModel):
    """Somebody who could not be told of a run, and why."""

    model_config = ConfigDict(frozen=True)

    channel: str
    why: str


class Untidy(BaseModel):
    """What a run has left behind that should be gone, and why; it harms nobody's release."""

    model_config = ConfigDict(frozen=True)

    what: str
    why: Shown


class Run(BaseModel):
    """The life of one order; times in milliseconds since 1970, as Redis's clock told them.

    `unfinished`: it has begun to move what it must finish or put back. `recorded`: what it makes
    live is live and on record, so that it can only succeed.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    order: Order
    state: State
    stages: tuple[StageRecord, ...]
    releases: tuple[Release, ...] = ()
    checks: tuple[CheckRecord, ...] = ()
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    error: str | None = None
    fault: Literal["user", "ours"] | None = None
    delivery: str | None = None
    fence: int = 0
    losses: int = 0
    retries: int = 0
    rollout: Rollout | None = None
    unfinished: bool = False
    recorded: bool = False
    held: bool = False
    untold: tuple[Untold, ...] = ()
    untidy: tuple[Untidy, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether people are asked: it waits for their word, and for nothing else."""
        return self.state is State.WAITING and self._approval_waits

    @property
    def hears(self) -> bool:
        """Whether people's words count: it asks them, or looks again after one of theirs."""
        return self.state in (State.WAITING, State.RUNNING) and self._approval_waits

    @property
    def _approval_waits(self) -> bool:
        return any(
            stage.name == APPROVE.name and stage.state is StageState.WAITING
            for stage in self.stages
        )
