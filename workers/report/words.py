"""A deploy or a rollback in words, as Slack and email both say them."""

from typing import Literal, NamedTuple

from config.units import duration
from workers.ledger.model.run import Run, StageRecord, StageState, State
from workers.ledger.model.stages import APPROVE

Name = Literal["started", "waiting", "held", "succeeded", "failed", "cancelled", "superseded"]

SAID: dict[Name, str] = {
    "started": "started",
    "waiting": "is waiting for approval",
    "held": "is held",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "was cancelled",
    "superseded": "was superseded",
}
ENDS: dict[State, Name] = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.SUPERSEDED: "superseded",
}
_SECOND = 1000


class Event(NamedTuple):
    """Something of a run that people want to know; the time in milliseconds since 1970."""

    name: Name
    at: int


def events(run: Run) -> list[Event]:
    """What has happened to a run so far, in order; waiting counts only while it waits."""
    found: list[Event] = []
    if run.started_at is not None:
        found.append(Event("started", run.started_at))
    if run.state is State.WAITING and waits(run):
        found.append(Event("waiting", waits(run) or run.created_at))
    if run.held:
        found.append(Event("held", next(r.started_at or run.created_at for r in _waiting(run))))
    if run.state in ENDS and run.finished_at is not None:
        found.append(Event(ENDS[run.state], run.finished_at))
    return found


def waits(run: Run) -> int | None:
    """Since when a run waits for people, None if it does not."""
    return next((one.started_at for one in _waiting(run) if one.name == APPROVE.name), None)


def why_held(run: Run) -> str:
    """What holds a run back, in a sentence; nothing if nothing does."""
    return next((one.summary or "" for one in _waiting(run)), "") if run.held else ""


def _waiting(run: Run) -> list[StageRecord]:
    return [record for record in run.stages if record.state is StageState.WAITING]


def headline(run: Run, name: Name) -> str:
    """One event in one line."""
    order = run.order
    what = f"deploy of {short(run)} to {order.environment}"
    if order.rollback:
        only = f" of {order.rollback.function}" if order.rollback.function else ""
        what = f"rollback{only} to {short(run)} in {order.environment}"
    return line(f"{order.repository}: {what} {SAID[name]}")


def short(run: Run) -> str:
    """The commit, as short as people write it."""
    return run.order.commit[:7]


def line(text: str, limit: int = 200) -> str:
    """A text as one line without control characters, cut where it is too long."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"


def failed_stage(run: Run) -> StageRecord | None:
    """The stage that a run ended in."""
    found = (record for record in run.stages if record.state is StageState.FAILED)
    return next(found, None)


def who(run: Run) -> str:
    """Who caused it, and by what."""
    pull_request = run.order.pull_request
    by = f"by {line(run.order.sender, 60)}" if run.order.sender else ""
    through = f"pull request #{pull_request.number}" if pull_request else ""
    return ", ".join(part for part in (line(run.order.branch, 100), through, by) if part)


def lasted(thing: Run | StageRecord) -> str:
    """How long something took; nothing before it has ended."""
    if thing.started_at is None or thing.finished_at is None:
        return ""
    return duration((thing.finished_at - thing.started_at) / _SECOND)
