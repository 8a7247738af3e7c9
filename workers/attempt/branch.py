"""The branch still has our commit, or the run ends: what was taken off it does not go live."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from workers.attempt.context import Context
from workers.ledger.model.errors import (
    CancelledError,
    OurError,
    PassingError,
    RunError,
    SupersededError,
)
from workers.source.git import Git
from workers.source.mirror import head
from workers.source.snapshot import Relation

ASK_SECONDS = 20.0
"""How long GitHub may take: a release does not hang on a server that is out of reach."""

PATIENCE = (1.0, 3.0)
"""Seconds between looks at a branch that lacks our commit: webhooks are at times ahead of git."""


@contextmanager
def asked(context: Context, stage: str) -> Iterator[Callable[[], None]]:
    """`demand`, begun beside what the body does first; what the body gets waits for the answer.

    What has begun to move is finished or put back: there is nothing to ask any more.
    """
    if context.run.unfinished:
        yield lambda: None
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(demand, context, stage).result


def demand(context: Context, stage: str, *, fresh: float = 0.0) -> None:
    """Go on only while the branch's head is our commit or descends from it.

    An answer that this visit got at most `fresh` seconds ago will do. A rollback goes back on
    purpose, and a check releases nothing.

    Raises:
        SupersededError: the branch was reset, or force-pushed, to something else.
        CancelledError: the branch was deleted.
    """
    if context.order.purpose != "deploy":
        return
    with context.asking:
        if not _lately(context, fresh):
            _demand(context, stage)
            context.on_branch = time.monotonic()


def _lately(context: Context, seconds: float) -> bool:
    return bool(context.on_branch) and time.monotonic() - context.on_branch < seconds


def _demand(context: Context, stage: str) -> None:
    order, found = context.order, None
    try:
        for pause in (*PATIENCE, None):
            found = _head(context, order.branch)
            if _has(context, found) or _elsewhere(context):
                return
            # What deliveries have told as well needs no second look.
            if pause is None or _told(context) is False:
                break
            _pause(context, pause)
    except (PassingError, OurError) as error:
        context.lease.hold()
        _by_record(context, stage, error)
        return
    raise _gone(context, found)


def _by_record(context: Context, stage: str, error: Exception) -> None:
    """GitHub is out of reach: what deliveries and the poll have told of the branch counts."""
    branch, commit = context.order.branch, context.order.commit[:7]
    context.say(stage, f"GitHub can't be asked what {branch} is at: {error}")
    told = _told(context)
    if told is False:
        raise _gone(context, _heads(context)[-1][1] or None)
    known = "still has" if told else "was not said to have lost"
    counts = f"what deliveries and the poll have told counts: {branch} {known} {commit}"
    context.say(stage, counts)


def _heads(context: Context) -> list[tuple[str, str, bool]]:
    order = context.order
    return context.shop.ledger.history.heads(order.repository_id, order.branch)


def _told(context: Context) -> bool | None:
    """Whether the branch has our commit, by what was told of it; None when that can't be said."""
    heads, ours = _heads(context), context.order.commit
    if not heads or heads[-1][1] == ours:
        return True if heads else None
    passed = [at for at, (before, after, _) in enumerate(heads) if ours in (before, after)]
    if not passed:
        return None
    at = passed[-1] + (heads[passed[-1]][1] == ours)
    if not any(forced for _, _, forced in heads[at:]):
        return True
    return bool(heads[-1][1]) and _known(context, heads[-1][1]) is Relation.OLDER


def _known(context: Context, theirs: str) -> Relation:
    """How our commit stands to another, as far as this machine knows."""
    try:
        return context.snapshot.relation(theirs)
    except RunError:
        return Relation.UNKNOWN


def _head(context: Context, branch: str) -> str | None:
    git = Git(context.shop.settings.data_dir, context.lease, context.shop.network, ASK_SECONDS)
    return head(git, context.order.clone_url, branch, context.token)


def _has(context: Context, found: str | None) -> bool:
    """Whether a branch's head is our commit or descends from it."""
    if found is None or found == context.order.commit:
        return found is not None
    return context.relation(found) is Relation.OLDER


def _elsewhere(context: Context) -> bool:
    """Whether another branch of the environment has it: one commit there is one run."""
    others = (one for one in context.environment.branch if one != context.order.branch)
    return any(_has(context, _head(context, one)) for one in others)


def _gone(context: Context, found: str | None) -> CancelledError | SupersededError:
    branch, commit = context.order.branch, context.order.commit[:7]
    if found is None:
        return CancelledError(
            f"{branch} was deleted, so {commit} is on no branch that deploys to "
            f"{context.environment.name}: push the branch again to release it"
        )
    return SupersededError(
        f"{branch} no longer has {commit}: it was reset or force-pushed to {found[:7]}; push "
        "what should be live"
    )


def _pause(context: Context, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        context.lease.check()
        time.sleep(min(left, 0.5))
