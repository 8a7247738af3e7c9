"""A run and its states; what may follow what stands in one table."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from workers.order import Order


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
    error: str | None = None
    summary: str | None = None


class Release(BaseModel):
    """What one function runs in one environment: version, alias and package hash (base64)."""

    model_config = ConfigDict(frozen=True)

    function: str
    version: str | None = None
    alias: str | None = None
    sha256: str | None = None


class Run(BaseModel):
    """The life of one order; times in milliseconds since 1970, as Redis's clock told them."""

    model_config = ConfigDict(frozen=True)

    id: str
    order: Order
    state: State
    stages: tuple[StageRecord, ...]
    releases: tuple[Release, ...] = ()
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    error: str | None = None
    fault: Literal["user", "ours"] | None = None
    delivery: str | None = None
    fence: int = 0
    losses: int = 0
    retries: int = 0
