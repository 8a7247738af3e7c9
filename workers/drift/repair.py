"""Puts aliases back to what Slipway made live, where the operator wants that."""

from dataclasses import dataclass
from typing import NamedTuple

import structlog

from workers.aws import aliases, functions
from workers.drift.observe import Look
from workers.ledger.model.errors import RunError
from workers.ledger.model.observation import Live, Observation, Seen
from workers.ledger.observations import Observations

log = structlog.get_logger()

MENDED = frozenset({"moved", "weights", "alias deleted"})


class Repairs(NamedTuple):
    """What came of it, by function: a notice of each alias that is back, why another one is not."""

    back: dict[str, str]
    left: dict[str, str]

    def applied(self, seen: Seen) -> Seen:
        """A function as it is now."""
        if seen.function in self.back:
            return repaired(seen)
        return seen.model_copy(update={"unrepaired": self.left.get(seen.function)})


def repair(look: Look, found: Observation, before: Observation | None) -> Repairs:
    """Put each alias back that somebody moved.

    Nothing is done in an environment that is locked, nor at a function that a run is releasing.
    """
    done = Repairs({}, {})
    for seen in found.functions:
        if seen.certain and seen.differs and {one.kind for one in seen.differs} <= MENDED:
            one = _Repair(look, seen, before.of(seen.function) if before else None)
            if text := one.go():
                done.back[seen.function] = text
            if one.left:
                done.left[seen.function] = one.left
    return done


def repaired(seen: Seen) -> Seen:
    """A function whose alias has just been put back."""
    record = seen.record
    live = Live(version=record.version, commit=record.commit, sha256=record.sha256)
    return seen.model_copy(update={"live": live, "differs": ()})


@dataclass
class _Repair:
    look: Look
    seen: Seen
    before: Seen | None
    left: str = ""

    def go(self) -> str:
        """What was done, or nothing; a fault is told, and the next look tries again."""
        if self._passing():
            return ""
        try:
            return self._back()
        except RunError as error:
            self._not(str(error))
            return ""

    def _passing(self) -> bool:
        """AWS sets weights of its own for a while, where concurrency is provisioned."""
        if {one.kind for one in self.seen.differs} != {"weights"}:
            return False
        known = self.before.live.weights if self.before and self.before.live else {}
        return not self.seen.live or known != self.seen.live.weights

    def _back(self) -> str:
        look, function, record = self.look, self.seen.function, self.seen.record
        alias, aws = look.environment.alias, look.aws
        if not look.released_here(record, function):
            self._not(
                f"version {record.version} was never released to {look.environment.name}, which "
                "alone may be put back: push a new commit (git commit --allow-empty will do)"
            )
            return ""
        if not functions.holds(aws, function, record.version, record.sha256):
            self._not(
                f"version {record.version} is gone: push a new commit (git commit --allow-empty "
                "will do), or roll back"
            )
            return ""
        live = aliases.look(aws, function, alias)
        # After the alias was read: what a run changes from here on changes its revision too.
        if not look.unchanged(self.seen) or look.locked():
            return ""
        aliases.move(aws, function, alias, record.version, live)
        was = f"version {live.version}" if live else "nothing"
        self._record(was)
        log.warning(
            "drift_repaired",
            environment=look.environment.name,
            function=function,
            alias=alias,
            found=was,
            version=record.version,
            commit=record.commit,
        )
        return f"{function}:{alias} was put back from {was} to version {record.version}"

    def _record(self, was: str) -> None:
        look, seen = self.look, self.seen
        what = {
            "function": seen.function,
            "version": seen.record.version,
            "alias": look.environment.alias,
            "sha256": seen.record.sha256,
            "commit": seen.record.commit,
            "commits": seen.record.commits,
            "repository": seen.repository,
            "run": seen.record.run,
            "found": was,
        }
        place = look.place(seen.function)
        Observations(look.shop.ledger.redis).repaired(place, look.environment.name, what)

    def _not(self, why: str) -> None:
        self.left = why
        log.warning(
            "drift_not_repaired",
            environment=self.look.environment.name,
            function=self.seen.function,
            error=why,
        )
