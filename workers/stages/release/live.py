"""What a run has made live, as the ledger remembers it: enough to go back to it one day."""

from typing import Any

from workers.attempt.context import Context
from workers.ledger.model.notes import Notes
from workers.ledger.model.run import Release
from workers.stages import site

Part = tuple[str, dict[str, Any]]


def remember_origin(context: Context) -> None:
    """Write down, once, which commit each part of a rollback runs before it."""
    if context.order.purpose != "rollback" or context.notes().origin is not None:
        return
    history = context.shop.ledger.history
    places = [context.place(release.function) for release in context.releases()]
    places += [name for name, _ in site.live(context)]
    origin = {name: history.live(name).get("commit") for name in places}
    context.note(Notes(origin=origin))


def record(context: Context) -> None:
    """Remember what is live now, all of it in one step."""
    functions = [
        (context.place(one.function), _function(context, one)) for one in context.releases()
    ]
    parts = [*functions, *site.live(context)]
    origin = context.notes().origin or {}
    context.lease.live(
        context.environment.name,
        [(name, _row(context, what, origin.get(name))) for name, what in parts],
    )


def _function(context: Context, release: Release) -> dict[str, Any]:
    revision = context.revisions.get(release.function)
    return release.model_dump() | {"revision": revision, "home": context.aws.home(release.function)}


def _row(context: Context, what: dict[str, Any], origin: str | None) -> dict[str, Any]:
    order = context.order
    row = what | {
        "commit": order.commit,
        "repository": order.repository,
        "environment": order.environment,
        "run": context.run.id,
        "source": order.source.model_dump(),
    }
    if order.rollback:
        row["rollback"] = {"by": order.sender, "from": origin} | order.rollback.model_dump()
    return row
