"""Puts back what a release has moved, also what a lost worker has: all run what they ran before."""

from collections.abc import Iterable

from workers.attempt import untidy
from workers.attempt.context import Context
from workers.aws import aliases
from workers.ledger.model.alias import Alias
from workers.ledger.model.errors import RunError
from workers.ledger.model.notes import Notes
from workers.ledger.model.run import Release


def put_back(context: Context, releases: Iterable[Release], *, doubt: bool) -> None:
    """Undo what has moved, by what is on record of before.

    `doubt`: a move may still be on its way to AWS, and must come too late.
    """
    noted = context.notes().before or {}
    moved = [release for release in releases if release.function in noted]
    # All of them are tried: what started this is what the run ends with.
    done = [_put_back(context, one, noted[one.function], doubt=doubt) for one in reversed(moved)]
    if all(done):
        context.note(Notes(before=None, unfinished=False))


def _put_back(context: Context, release: Release, before: Alias | None, *, doubt: bool) -> bool:
    """Put one alias back; whether it is."""
    alias, name, version = context.environment.alias, release.function, release.version or ""
    try:
        if aliases.put_back(
            context.aws, name, alias, before, version, confirm=context.lease.renew, seal=doubt
        ):
            context.say(f"release/{name}", f"{alias}: back to what it was")
        untidy.clear(context, f"{name}:{alias}")
    except RunError as error:
        why = f"{alias} may still run version {version}: {error}"
        context.say(f"release/{name}", why)
        untidy.note(context, f"{name}:{alias}", why)
        return False
    return True
