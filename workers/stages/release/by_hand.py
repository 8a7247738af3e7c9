"""Changes that somebody made to an alias by hand, named in the run that finds them."""

from workers.attempt.context import Context
from workers.drift.compare import differences
from workers.ledger.model.alias import Alias
from workers.ledger.model.observation import Live, Recorded


def tell(context: Context, function: str, found: Alias | None) -> None:
    """Say in the run's log what about an alias is not as Slipway left it, before it is moved."""
    record = context.shop.ledger.history.live(context.place(function))
    if not record:
        return
    left = Recorded(
        version=record["version"], commit=record["commit"], sha256="", run=record.get("run", "")
    )
    for one in differences(function, context.environment.alias, left, _live(found)):
        context.say(f"release/{function}", f"changed by hand since the last release: {one.text}")


def _live(found: Alias | None) -> Live | None:
    if found is None:
        return None
    weights = dict(found.weights)
    return Live(version=found.version, commit=found.commit, sha256="", weights=weights)
