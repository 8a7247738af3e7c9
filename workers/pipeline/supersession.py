"""A newer commit of a branch takes the place of older ones that have not begun to deploy."""

from workers.attempt.ancestry import was_reset
from workers.attempt.context import Context
from workers.ledger.model.errors import SupersededError
from workers.ledger.model.run import Run, State
from workers.ledger.model.stages import BY_NAME
from workers.source.snapshot import Relation


def check(context: Context, stage: str) -> None:
    """Let the run go on into a stage, unless a descendant of its commit is under way.

    Asked between stages only. Order is ancestry: a run that merely came later changes nothing.

    Raises:
        SupersededError: naming the commit that takes its place.
    """
    if not BY_NAME[stage].yields:
        return
    for later in context.shop.ledger.history.later(context.run.id, context.order):
        newer = later.order.commit
        if not _replaces(later, context.run) or context.relation(newer) is not Relation.OLDER:
            continue
        # A branch that came back to a commit under way asks for that one again.
        if not was_reset(context, newer):
            raise SupersededError(
                f"the newer commit {newer[:7]} of {context.order.branch} takes its place "
                f"(run {later.id})"
            )


def _replaces(later: Run, run: Run) -> bool:
    same = (later.order.purpose, later.order.target)
    if same != (run.order.purpose, run.order.target):
        return False
    # What has failed, or was ended before that, goes nowhere: a good commit goes instead of it.
    return not later.state.final or later.state is State.SUCCEEDED
