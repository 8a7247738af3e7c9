"""An alias between two versions: given its share step by step, and put back if it is still ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.aws import aliases
from workers.aws.faults import ChangedError
from workers.ledger.model.alias import Alias
from workers.ledger.model.errors import OurError

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.aws.session import Aws

TRIES = 5
WHOLE = 100


class MovedError(OurError):
    """Somebody else has moved the alias since we left it."""


def split(before: str, version: str, percent: int) -> Alias:
    """An alias that sends `percent` of the requests to the new version, the rest to the old one."""
    if percent == WHOLE:
        return Alias(version, None)
    return Alias(before, None, {version: round(percent / WHOLE, 2)})


def step(  # noqa: PLR0913 - an alias's place, and both ends of the step
    aws: Aws,
    function: str,
    alias: str,
    left: Alias | None,
    wanted: Alias,
    *,
    confirm: Callable[[], None],
) -> None:
    """Give an alias its next share, if it is as we left it or has that share already.

    `left` is None where there was no alias, which is created. `confirm` is asked between look and
    write, and raises what must stop it.

    Raises:
        MovedError: somebody else moved or removed it; it stays as it is.
        PassingError: out of reach, or others write to it all the time.
    """
    for attempt in range(TRIES):
        live = aliases.look(aws, function, alias)
        if not (_same(live, left) or _same(live, wanted)):
            raise MovedError(f"somebody else changed {function}:{alias}: it {words(live)}")
        confirm()
        try:
            aliases.steer(aws, function, alias, wanted, live)
        except ChangedError:
            if attempt == TRIES - 1:
                raise
        else:
            return


def put_back(  # noqa: PLR0913 - an alias's place, where to, and who decides
    aws: Aws,
    function: str,
    alias: str,
    before: str | None,
    ours: Callable[[Alias], bool],
    *,
    confirm: Callable[[], None],
) -> Alias | None:
    """Send all requests to the version before; remove the alias where there was none.

    `ours` tells whether an alias is as a step of this release leaves it; one that is not was moved
    by somebody else, is left alone and given back. `confirm` is as in `step`. A step that is still
    on its way to AWS comes too late.

    Raises:
        PassingError: out of reach.
    """
    for attempt in range(TRIES):
        live = aliases.look(aws, function, alias)
        if live is None:
            return None
        if not (before and live.at(before)) and not ours(live):
            return live
        confirm()
        try:
            if before is None:
                aliases.remove(aws, function, alias)
            elif live.at(before):
                aliases.renew(aws, function, alias, live)
            else:
                aliases.steer(aws, function, alias, Alias(before, None), live)
        except ChangedError:
            if attempt == TRIES - 1:
                raise
        else:
            return None
    return None


def _same(live: Alias | None, other: Alias | None) -> bool:
    return live is other if live is None or other is None else live.same(other)


def told(alias: Alias) -> str:
    """Where an alias points, in words."""
    shares = (f"{share:.0%} to version {name}" for name, share in alias.weights.items())
    return ", ".join((f"version {alias.version}", *shares))


def words(live: Alias | None) -> str:
    """What an alias does, in words."""
    return f"runs {told(live)}" if live else "is gone"
