"""Order is git ancestry, never arrival or clock: may our commit take the place of what is live?"""

from workers.attempt.context import Context
from workers.ledger.model.errors import SupersededError, UserError
from workers.source.mirror import head
from workers.source.snapshot import Relation


def judge(
    context: Context, where: str, commit: str | None, named: str, *, recorded: bool = True
) -> None:
    """Let a commit pass that is not older than what `where` runs, or that its branch was reset to.

    `commit` is what runs there; None when it is known only as `named`. `recorded`: a run of ours
    has made it live; what somebody has moved by hand is not undone because of a reset.

    A rollback goes back on purpose.

    Raises:
        SupersededError: a newer commit is live already.
        UserError: what is live is no ancestor of ours, and ours is not the branch's head.
    """
    if context.order.purpose == "rollback":
        return
    relation = context.relation(commit) if commit else Relation.UNKNOWN
    if relation in (Relation.SAME, Relation.NEWER):
        return
    if relation is Relation.OLDER and commit:
        if not recorded or not was_reset(context, commit):
            raise SupersededError(f"{where} already runs the newer commit {commit[:7]}")
        order = context.order
        how = f"{order.branch} was reset to {order.commit[:7]}"
        context.say("release", f"{where} goes back from {commit[:7]}: {how}")
        return
    if commit is None:
        context.say("release", f"{where} runs {named}, which names no commit")
    _demand_head(context, f"{where} runs {commit[:7] if commit else named}")


def was_reset(context: Context, newer: str) -> bool:
    """Whether the branch was reset from a newer commit to ours, and no other branch has that one.

    Raises:
        OurError: GitHub doesn't let us ask.
        PassingError: GitHub is out of reach.
    """
    known = context.resets.get(newer)
    if known is None:
        ours = _head(context, context.order.branch) == context.order.commit
        known = context.resets[newer] = ours and not _elsewhere(context, newer)
    return known


def _elsewhere(context: Context, newer: str) -> bool:
    """Whether another branch of the environment has a commit: then it still is to be live there."""
    order = context.order
    if order.purpose == "check":
        return False
    heads = (_head(context, one) for one in context.environment.branch if one != order.branch)
    return any(one is not None and _has(context, one, newer) for one in heads)


def _has(context: Context, found: str, commit: str) -> bool:
    return context.fetched(found).relation(commit) in (Relation.SAME, Relation.NEWER)


def _head(context: Context, branch: str) -> str | None:
    return head(context.git, context.order.clone_url, branch, context.token)


def _demand_head(context: Context, found: str) -> None:
    """What is live is no ancestor of ours (a force-push): only the branch's head may replace it."""
    order = context.order
    if _head(context, order.branch) != order.commit:
        raise UserError(
            f"{found}, which is no ancestor of {order.commit[:7]}, and {order.commit[:7]} is no "
            f"longer the head of {order.branch}: push what should be live"
        )
