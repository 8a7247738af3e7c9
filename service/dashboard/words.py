"""Runs in words."""

from config import units
from workers.ledger.model.run import Run, StageRecord


def duration(milliseconds: int | None) -> str:
    """A length of time, or a dash where there is none yet."""
    return "\u2013" if milliseconds is None else units.duration(milliseconds / 1000)


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
