"""What a release will do, decided once by what was found, and handed on: it asks nobody."""

from collections.abc import Mapping
from dataclasses import dataclass

from workers.drift.compare import differences
from workers.ledger.model.alias import Alias
from workers.ledger.model.observation import Difference, Live, Recorded
from workers.ledger.model.released import Released
from workers.ledger.model.rollout import Rollout
from workers.ledger.model.run import Release

SITE = ""
"""The site among what could not be moved: no function has that name."""

Before = Mapping[str, Alias | None]


@dataclass(frozen=True)
class Move:
    """One alias on its way to the version of a release; `place` is its name in the ledger.

    `found` is what it points to, None where there is no such alias; `record` what a run of ours
    made live there last, None if none has.
    """

    release: Release
    place: str
    found: Alias | None
    record: Released | None = None

    @property
    def function(self) -> str:
        """Whose alias it is."""
        return self.release.function

    @property
    def version(self) -> str:
        """The version that it moves to."""
        return self.release.version or ""

    @property
    def ours(self) -> bool:
        """Whether a run of ours has made live what the alias runs."""
        if self.found is None or self.record is None:
            return False
        return self.record.version == self.found.version

    @property
    def commit(self) -> str | None:
        """The commit that the alias runs: our record knows better than a version that is shared."""
        if self.ours and self.record:
            return self.record.commit
        return self.found.commit if self.found else None

    @property
    def at_target(self) -> bool:
        """Whether the alias has the version that it is to have."""
        return self.found is not None and self.found.version == self.version

    def by_hand(self, alias: str) -> tuple[Difference, ...]:
        """Returns what about the alias is not as Slipway left it."""
        record, found = self.record, self.found
        if record is None:
            return ()
        left = Recorded(
            version=record.version or "",
            commit=record.commit or "",
            sha256="",
            run=record.run or "",
        )
        if found is None:
            return differences(self.function, alias, left, None)
        weights = dict(found.weights)
        live = Live(version=found.version, commit=found.commit, sha256="", weights=weights)
        return differences(self.function, alias, left, live)


@dataclass(frozen=True)
class Plan:
    """All that a release moves, and what it goes back to if one of them can't be moved.

    `stuck` could not be moved at an earlier try, the latest first, and `noted` is what that try,
    or a lost worker, wrote down before it moved anything. `rollout` is the gradual release whose
    last step this is, None where all moves at once. `origin` is the commit that each place ran
    before a rollback.
    """

    alias: str
    moves: tuple[Move, ...]
    stuck: tuple[str, ...] = ()
    noted: Before | None = None
    rollout: Rollout | None = None
    origin: Mapping[str, str | None] | None = None

    @property
    def functions(self) -> tuple[str, ...]:
        """Whose aliases move."""
        return tuple(move.function for move in self.moves)

    @property
    def before(self) -> Before:
        """What each alias pointed to before the run, which is what it goes back to."""
        if self.noted is not None:
            return self.noted
        return {move.function: move.found for move in self.moves}

    @property
    def alone(self) -> tuple[Move, ...]:
        """Those that could not be moved at an earlier try, in the order in which they go first.

        Each goes alone: what it would have put back again has not moved.
        """
        moves = {move.function: move for move in self.moves}
        return tuple(moves[name] for name in self.stuck if name in moves)

    @property
    def together(self) -> tuple[Move, ...]:
        """Those that move at once, so that users see old beside new as shortly as can be."""
        return tuple(move for move in self.moves if move.function not in self.stuck)

    @property
    def tries_site(self) -> bool:
        """Whether the site's bucket is to be tried before anything moves."""
        return SITE in self.stuck

    @property
    def released(self) -> tuple[Release, ...]:
        """What is live when all has moved."""
        return tuple(move.release.model_copy(update={"alias": self.alias}) for move in self.moves)
