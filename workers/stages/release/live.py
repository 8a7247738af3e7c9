"""What a run has made live, as the ledger remembers it: enough to go back to it one day."""

from collections.abc import Mapping

from workers.attempt.context import Context
from workers.ledger.model.released import Released, WentBack
from workers.stages import site
from workers.stages.release.plan import Move, Plan


def record(context: Context, plan: Plan, revisions: Mapping[str, str | None]) -> None:
    """Remember what is live now, all of it in one step; `revisions` are those after the moves."""
    parts = [
        *((move.place, _function(context, plan, move, revisions)) for move in plan.moves),
        *site.live(context),
    ]
    origin = plan.origin or {}
    context.lease.live(
        context.environment.name,
        [(place, _whole(context, what, origin.get(place)).row()) for place, what in parts],
    )


def _function(
    context: Context, plan: Plan, move: Move, revisions: Mapping[str, str | None]
) -> Released:
    return Released(
        **move.release.model_dump() | {"alias": plan.alias},
        revision=revisions.get(move.function),
        home=context.aws.home(move.function),
    )


def _whole(context: Context, what: Released, origin: str | None) -> Released:
    """What a place runs, with the run and the order that made it live."""
    order = context.order
    facts: dict[str, object] = {
        "commit": order.commit,
        "repository": order.repository,
        "environment": order.environment,
        "run": context.run.id,
        "source": order.source,
    }
    if order.rollback:
        back = WentBack(by=order.sender, from_=origin, **order.rollback.model_dump())
        facts["rollback"] = back
    return what.model_copy(update=facts)
