"""Times and runs in words."""

from datetime import UTC, datetime
from time import time

from config import units
from workers.ledger.model.run import Run, StageRecord

_STEPS = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3600))
_MINUTE = 60
_SOON = 10


def now() -> int:
    """Milliseconds since 1970."""
    return int(time() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def exact(milliseconds: int) -> str:
    """A time to the second, in UTC."""
    return f"{_moment(milliseconds):%Y-%m-%d %H:%M:%S} UTC"


def iso(milliseconds: int) -> str:
    """A time as HTML's `datetime` wants it."""
    return _moment(milliseconds).isoformat(timespec="seconds").replace("+00:00", "Z")


def ago(milliseconds: int) -> str:
    """How long ago a time was."""
    seconds = (now() - milliseconds) // 1000
    if seconds < _SOON:
        return "just now"
    if seconds < _MINUTE:
        return f"{seconds} seconds ago"
    for unit, length in (*_STEPS, ("minute", _MINUTE)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return ""


def duration(milliseconds: int | None) -> str:
    """A length of time, or a dash where there is none yet."""
    return "\u2013" if milliseconds is None else units.duration(milliseconds / 1000)


def left(milliseconds: int) -> str:
    """How long it still is until something, to the minute."""
    minutes = milliseconds // (_MINUTE * 1000)
    return units.duration(minutes * _MINUTE) if minutes >= 1 else "less than a minute"


def lasted(thing: Run | StageRecord, at: int) -> int | None:
    """Milliseconds from start to end, or to `at` while it lives; None before it has begun."""
    if thing.started_at is None:
        return None
    return max(0, (thing.finished_at or at) - thing.started_at)


def title(run: Run) -> str:
    """What a run is for."""
    if run.order.rollback:
        only = f" of {run.order.rollback.function}" if run.order.rollback.function else ""
        return f"Rollback{only} in {run.order.environment} to {run.order.commit[:7]}"
    if run.order.purpose == "deploy":
        return f"Deploy to {run.order.environment}"
    pull_request = run.order.pull_request
    return f"Check of pull request #{pull_request.number}" if pull_request else "Check"


def home(run: Run) -> str | None:
    """The repository's address for people, or None if the clone URL doesn't lead to one."""
    url = run.order.clone_url
    return url.removesuffix(".git") if url.startswith(("https://", "http://")) else None
