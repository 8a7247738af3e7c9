"""Which versions of a function may go: a pure decision over what is known of it."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from workers.aws.functions import Version
from workers.ledger.model.released import Released
from workers.ledger.model.run import Run
from workers.ledger.upkeep import Mark


@dataclass(frozen=True)
class Known:
    """What the ledger knows of one function.

    `histories` are what each environment released, newest first, with how many of its releases
    are to be kept; `published` the versions that Slipway made, with the run that wanted each last.
    """

    function: str
    histories: Sequence[tuple[Sequence[Released], int]]
    published: Mapping[Mark, str]
    unended: Sequence[Run]

    @property
    def ours(self) -> set[Mark]:
        """Slipway's own versions: published by it, or released by it and not yet gone."""
        released = {
            Mark(row.version or "", row.commit or "", row.sha256 or "")
            for rows, _ in self.histories
            for row in rows
            if self._is_of(row) and not row.pruned
        }
        return released | set(self.published)

    @property
    def needed(self) -> set[str]:
        """Versions that a rollback may want, or a run that has not ended."""
        runs = {run.id for run in self.unended}
        wanted = {mark.number for mark, run in self.published.items() if run in runs}
        for run in self.unended:
            wanted |= {r.version for r in run.releases if r.version and r.function == self.function}
        for rows, keep in self.histories:
            wanted.update(self._latest(rows, keep))
        return wanted | self._newest(max((keep for _, keep in self.histories), default=0))

    def _is_of(self, row: Released) -> bool:
        return row.function == self.function and bool(row.version)

    def _latest(self, rows: Iterable[Released], keep: int) -> list[str]:
        """The versions of an environment's last releases; one that was live twice counts once."""
        found = dict.fromkeys(row.version or "" for row in rows if self._is_of(row))
        return list(found)[:keep]

    def _newest(self, keep: int) -> set[str]:
        """The history of a busy environment may have lost what a quiet function released last."""
        numbers = sorted({int(mark.number) for mark in self.ours}, reverse=True)
        return {str(number) for number in numbers[:keep]}

    def candidates(self) -> list[Mark]:
        """Slipway's versions that nothing on record needs, oldest first."""
        needed = self.needed
        spare = [mark for mark in self.ours if mark.number not in needed]
        return sorted(spare, key=lambda mark: (int(mark.number), mark))


def doomed(
    known: Known, found: Iterable[Version], pointed_at: Mapping[str, AbstractSet[str]]
) -> list[Version]:
    """The versions of `found` that may be deleted, oldest first.

    `pointed_at` are the versions that each alias leads to. A version goes only if it is the very
    one that Slipway published, by number, commit and hash, and nothing leads to it or needs it.
    """
    candidates = set(known.candidates())
    led_to = set().union(*pointed_at.values())
    spare = [
        one
        for one in found
        if Mark(one.number, one.commit or "", one.sha256) in candidates and one.number not in led_to
    ]
    return sorted(spare, key=lambda one: int(one.number))
