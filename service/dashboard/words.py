"""What the pages say, where it depends on what happened; templates only place it."""

from collections.abc import Sequence

from config import units
from workers.ledger.model.run import Run, StageRecord, State

TITLES = {
    400: "That can't be read",
    403: "Not from here",
    404: "Not here",
    409: "Not now",
    410: "It is gone",
    413: "Too much",
    423: "It is locked",
    429: "Too many tries",
    503: "The ledger is out of reach",
}
TROUBLES = {
    State.FAILED: "Slipway could not finish this",
    State.CANCELLED: "Cancelled",
    State.SUPERSEDED: "A newer commit took its place",
    State.WAITING: "Waiting",
}
TURNS = {
    State.FAILED: (
        "Nothing is wrong with the commit as far as Slipway knows. "
        "Whoever operates Slipway should look at it; then run it again."
    ),
    State.QUEUED: "It goes on by itself.",
}
UNTOLD = {
    "github": "GitHub does not show this yet",
    "slack": "Slack was not told yet",
    "email": "Emails were not sent yet",
    "archive": "The log is not in S3 yet",
}
AWAY = (
    (
        "Slipway's memory, Redis, does not answer. Nothing that was accepted is lost: runs go on "
        "when it is back. This page tries again by itself."
    ),
    "If it stays so, whoever operates Slipway should look at Redis and at REDIS_URL.",
)
OURS = "The fault is Slipway's own. Whoever operates it finds the details in the web process's log."


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


def refusal(code: int, detail: str | None) -> Sequence[str]:
    """The paragraphs of an error's page."""
    if code == 503:  # noqa: PLR2004 - the ledger is away, RFC 9110
        return AWAY
    return (OURS,) if code >= 500 else (detail or "",)  # noqa: PLR2004 - the server's, RFC 9110


def trouble(run: Run) -> str:
    """What a run that did not simply go on or succeed has come to."""
    if _repositorys(run):
        return "The repository needs a change"
    if run.held and not run.state.final:
        return "Held back"
    return TROUBLES.get(run.state, "Held up")


def turn(run: Run) -> str | None:
    """Whose turn it is, and what to do; None where the page has more than words for it."""
    if _repositorys(run):
        return "Mend it and push again; the log below has the details."
    return TURNS.get(run.state)


def _repositorys(run: Run) -> bool:
    return run.state is State.FAILED and run.fault == "user"


def approvers(names: Sequence[str]) -> str:
    """Who may approve."""
    if not names:
        return "by anybody with a token"
    return f"by {', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else f"by {names[0]}"
