"""What the aliases of a run point to before it, and the record of that for whoever goes back."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from workers.attempt.context import Context
from workers.aws import aliases
from workers.ledger.model.alias import Alias
from workers.ledger.model.notes import Notes
from workers.ledger.model.run import Release
from workers.stages.release import by_hand
from workers.stages.release.gradual import record as rollout_record

TOGETHER = 8
_noting = threading.Lock()


def look(context: Context, releases: Iterable[Release]) -> dict[str, Alias | None]:
    """What each release's alias points to; None where there is none."""
    # In the middle of a gradual release, what is on record is the release before.
    cheaply = rollout_record.under_way(context) is None

    def one(release: Release) -> tuple[str, Alias | None]:
        alias = (cheaply and _cheaply(context, release)) or _read(context, release)
        return release.function, alias

    with ThreadPoolExecutor(TOGETHER) as pool:
        return dict(pool.map(one, releases))


def _cheaply(context: Context, release: Release) -> Alias | None:
    """What our record says, if AWS shows the same version; None if only the alias can tell.

    This spares a call of Lambda's scarce quota. The revision on record has AWS refuse the move if
    anything else has changed, such as weights.
    """
    function = release.function
    record = context.shop.ledger.history.live(context.place(function))
    revision = record.get("revision")
    # Where nothing is to be moved, AWS has no occasion to refuse.
    if not revision or record["version"] == release.version:
        return None
    known = Alias(record["version"], revision, commit=record["commit"])
    alias = context.environment.alias
    return known if aliases.stands(context.aws, function, alias, known) else None


def _read(context: Context, release: Release) -> Alias | None:
    return aliases.read(context.aws, release.function, context.environment.alias)


def again(context: Context, release: Release) -> Alias | None:
    """What an alias points to after all, on record anew if somebody else changed it meanwhile."""
    function = release.function
    found = _read(context, release)
    ours = found is not None and found.version == release.version
    if not ours and rollout_record.under_way(context) is None:
        with _noting:
            before = noted(context)
            if function in before and not _same(before[function], found):
                by_hand.tell(context, function, found)
                note(context, before | {function: found})
    return found


def _same(one: Alias | None, other: Alias | None) -> bool:
    return one is other or (one is not None and other is not None and one.same(other))


def noted(context: Context) -> dict[str, Alias | None]:
    """What the aliases pointed to before this run, as it or a lost worker wrote down."""
    return dict(context.notes().before or {})


def note(context: Context, found: dict[str, Alias | None]) -> None:
    """Write down what to go back to, before anything moves."""
    context.note(Notes(before=found, unfinished=True))
