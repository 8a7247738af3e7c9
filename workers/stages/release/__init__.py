"""The one moment users notice: the aliases of a run's functions move together, or none does.

Plan, apply, undo: `observe` makes the plan out of what it finds, `apply` carries it out, and `undo`
puts back what has moved when not all could be. A gradual release goes its steps before the last.
"""

from redis.exceptions import RedisError

from workers.attempt import branch
from workers.attempt.context import Context
from workers.ledger import MAX_LOSSES
from workers.ledger.model.errors import OurError, PassingError, StoppedError
from workers.ledger.model.run import Release
from workers.stages import site
from workers.stages.deploy import republish
from workers.stages.release import gradual, hold, live, observe, undo
from workers.stages.release.apply import apply


def run(context: Context) -> str:
    """Move each function's alias to the version that this run published, and switch the site."""
    releases = context.releases()
    # A lost worker may have come so far that nothing but its run's end is missing.
    if context.run.recorded:
        gradual.done(context, context.notes().rollout)
    else:
        _go_live(context, releases)
    told = "; ".join(filter(None, (_summary(context, releases), site.announce(context))))
    order = context.order
    if order.rollback:
        return f"rolled back to {order.commit[:7]} by {order.sender}: {told}"
    return told


def _go_live(context: Context, releases: tuple[Release, ...]) -> None:
    if context.order.rollback:
        republish.interrupt(context)
    with (
        hold.turn(context) as notes,
        branch.asked(context, "release") as still_there,
        gradual.steps(context, notes, releases, still_there) as rollout,
    ):
        try:
            with site.held(context):
                _may_go_on(context)
                plan = observe.plan(context, notes, releases, rollout, still_there)
                revisions = apply(context, plan)
            live.record(context, plan, revisions)
        except (StoppedError, RedisError):
            raise
        except Exception as error:
            if rollout is None:
                doubt = context.run.losses > 0 or isinstance(error, PassingError)
                undo.put_back(context, releases, doubt=doubt)
            raise


def _summary(context: Context, releases: tuple[Release, ...]) -> str:
    versions = ", ".join(f"{one.function} {one.version}" for one in releases)
    return f"{context.environment.alias} runs {versions}" if versions else ""


def _may_go_on(context: Context) -> None:
    """Go on only while workers live: those beyond the usual losses are there to put back."""
    losses = context.run.losses
    if losses > MAX_LOSSES:
        raise OurError(
            f"the worker was lost {losses} times in this run; the operator should look at its log "
            "and memory; then retry the run"
        )
