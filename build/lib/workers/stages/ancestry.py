"""Order is git ancestry, never arrival or clock: may our commit take the place of what is live?"""

from workers.errors import SupersededError, UserError
from workers.source.mirror import head
from workers.source.snapshot import Relation
from workers.stages.context import Context


def judge(context: Context, where: str, commit: str | None, named: str) -> None:
    """Let a commit pass that is not older than what `where` runs.

    `commit` is what runs there; None when it is known only as `named`.

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
    if relation is Relation.OLDER:
        raise SupersededError(f"{where} already runs the newer commit {str(commit)[:7]}")
    if commit is None:
        context.say("release", f"{where} runs {named}, which names no commit")
    _demand_head(context, f"{where} runs {commit[:7] if commit else named}")


def _demand_head(context: Context, found: str) -> None:
    """What is live is no ancestor of ours (a force-push): only the branch's head may replace it."""
    order = context.order
    if head(context.git, order.clone_url, order.branch, context.token) != order.commit:
        raise UserError(
            f"{found}, which is no ancestor of {order.commit[:7]}, and {order.commit[:7]} is no "
            f"longer the head of {order.branch}: push what should be live"
        )
