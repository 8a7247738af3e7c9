"""One gradual release at a time on an alias: others wait their turn, without a worker."""

from collections.abc import Sequence

from workers.attempt.ancestry import was_reset
from workers.attempt.context import Context
from workers.ledger.model.errors import SupersededError, WaitError
from workers.ledger.model.run import Run, StageState
from workers.ledger.model.stages import RELEASE
from workers.source.snapshot import Relation

AGAIN_SECONDS = 10.0


def take(context: Context, places: Sequence[str], *, gradual: bool) -> None:
    """Go on when no other run's gradual release has one of our aliases.

    Raises:
        WaitError: one has; this run looks again in a while.
        SupersededError: a newer commit is ready for the same turn.
    """
    if gradual:
        _give_way(context)
        holder = context.lease.claim(places)
    else:
        holder = context.shop.ledger.history.claimed(places, context.run.id) or ""
    if holder:
        _give_way(context)
        raise WaitError(
            AGAIN_SECONDS,
            f"Waiting for run {holder[:8]}, whose gradual release is under way",
        )


def _give_way(context: Context) -> None:
    """Nothing of ours has moved yet: the newest candidate is the one that is worth the time."""
    for later in context.shop.ledger.history.later(context.run.id, context.order):
        newer = later.order.commit
        if not _ready(later, context.run) or context.relation(newer) is not Relation.OLDER:
            continue
        if not was_reset(context, newer):
            raise SupersededError(
                f"the newer commit {newer[:7]} is ready to be released (run {later.id})"
            )


def _ready(later: Run, run: Run) -> bool:
    same = (later.order.purpose, later.order.environment)
    if same != (run.order.purpose, run.order.environment) or later.state.final:
        return False
    earlier = [stage.state for stage in later.stages if stage.name != RELEASE.name]
    return all(state is StageState.SUCCEEDED for state in earlier)
