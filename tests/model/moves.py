"""Promises 3 to 5 and 7, asked of every alias that moves: whereto, from where, and all together."""

from collections.abc import Callable
from typing import Any

from tests.model.parts import BRANCHES
from tests.model.repository import sha256
from tests.model.watched import HAND, Move
from tests.model.world import Locked, World
from workers.ledger.model.run import Run, State

ALIASES = {environment: branch for branch, environment in BRANCHES.items()}
Admits = Callable[[Move, bool, Locked | None], None]


class Moves:
    """What every alias runs, `live`; the moves of runs that are not over, `outstanding`.

    `loose` are aliases that somebody has moved by hand since.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.live: dict[tuple[str, str], str | None] = {}
        self.outstanding: dict[tuple[str, str], tuple[Move, str | None]] = {}
        self.ended: set[str] = set()
        self.loose: set[tuple[str, str]] = set()
        self._moves: list[tuple[Move, dict[str, str], str | None, Locked | None]] = []
        self._versions: dict[str, dict[str, dict[str, Any]]] = {}
        world.parts.strict.on_move = self._note

    def _note(self, move: Move) -> None:
        seen = self._shown(move) if move.by == HAND else None
        lock = self.world.locks.get(move.alias)
        self._moves.append((move, dict(self.world.heads), seen, lock))

    def _shown(self, move: Move) -> str | None:
        """The commit that a version moved by hand stands for: our record's, else its own."""
        if move.after is None:
            return None
        record = self.world.parts.inside.shop.ledger.history.live(
            f"123456789012/eu-west-3/{move.function}/{move.alias}"
        )
        if record and record.version == move.after:
            return record.commit
        return str(self.version(move.function, move.after)["Description"])

    def version(self, function: str, number: str) -> dict[str, Any]:
        """One published version."""
        if number not in self._versions.get(function, {}):
            self._versions[function] = self.world.versions(function)
        return self._versions[function][number]

    def check(self, admits: Admits) -> None:
        """Look at all that moved since the last step."""
        for move, heads, seen, lock in self._moves:
            place = (move.function, move.alias)
            if move.by == HAND:
                self._by_hand(place, seen)
            elif move.by in self.ended:
                self._too_late(move)
            else:
                self._moved(move, heads, lambda m, back, lock=lock: admits(m, back, lock))
        self._moves.clear()

    def _by_hand(self, place: tuple[str, str], seen: str | None) -> None:
        self.live[place] = seen
        self.loose.add(place)
        # What has given it a share, or has moved it half, can't put that back any more.
        self.world.disturbed |= {by for by, function in self.outstanding if function == place[0]}

    def _too_late(self, move: Move) -> None:
        """AWS makes and removes an alias without any condition: that alone may come too late."""
        assert None in (move.before, move.after), f"promise 5: {move} by a run that is over"
        self.world.parts.counts["made or removed too late"] += 1
        self.world.disturbed |= {run.id for run in self.world.open()}
        place = (move.function, move.alias)
        self.loose.add(place)
        self.live[place] = self._shown(move)

    def _moved(
        self, move: Move, heads: dict[str, str], admits: Callable[[Move, bool], None]
    ) -> None:
        place = (move.function, move.alias)
        known = self.outstanding.get((move.by, move.function))
        if known and (known[0].before, None) == (move.after, move.shared):
            # It puts back what it had moved.
            admits(move, True)
            self.live[place] = known[1]
            del self.outstanding[move.by, move.function]
            return
        admits(move, False)
        run = self.world.run(move.by)
        commit, before = run.order.commit, self.live.get(place)
        assert move.to is not None, f"a run removed what it had not made: {move}"
        digest = self.version(move.function, move.to)["CodeSha256"]
        assert digest == sha256(move.function, self.world.code[commit]), (
            f"promise 4: {move} for {commit} is another package"
        )
        if run.order.purpose != "rollback":
            self._forward(move, commit, before, heads)
            self._approved(move, run)
        if known is None:
            self.outstanding[move.by, move.function] = (move, before)
        self.live[place] = commit
        self.loose.discard(place)

    def _approved(self, move: Move, run: Run) -> None:
        if run.order.environment == "production":
            votes = self.world.record(run.id, "votes") or []
            assert any(v["verdict"] == "approve" for v in votes), f"promise 7: unapproved {move}"

    def _forward(self, move: Move, commit: str, before: str | None, heads: dict[str, str]) -> None:
        if before is None or before in self.world.ancestors(commit):
            return
        how = "back to its ancestor" if commit in self.world.ancestors(before) else "aside to"
        assert heads[ALIASES[move.alias]] == commit, (
            f"promise 3: {move} takes {before[:7]} {how} {commit[:7]}, which is not the head"
        )

    def over(self, run: Run) -> None:
        """A run has ended: it has moved all its functions, or none."""
        self.ended.add(run.id)
        alias = run.order.environment or ""
        wanted = {release.function for release in run.releases}
        for function in self.world.functions:
            known = self.outstanding.pop((run.id, function), None)
            if run.state is State.SUCCEEDED and function in wanted:
                self._runs(run, function, alias)
            elif known and self._still(known[0]):
                told = "may still" in self.world.parts.inside.log(run.id)
                half = f"promise 5: {run.id} is {run.state}, and {function} runs {known[0].to}"
                assert run.id in self.world.disturbed, half
                assert told, half

    def _still(self, move: Move) -> bool:
        """Whether an alias gives requests to what a run has moved it to, and nobody else."""
        strict, place = self.world.parts.strict, (move.function, move.alias)
        runs = {strict.live.get(place), strict.shared.get(place)}
        return move.to in runs and self.last_mover(place) == move.by

    def last_mover(self, place: tuple[str, str]) -> str:
        """Who has moved an alias last."""
        moves = self.world.parts.strict.moves
        return [m.by for m in moves if (m.function, m.alias) == place][-1]

    def _runs(self, run: Run, function: str, alias: str) -> None:
        """A run that succeeded: this function runs its package, unless a hand was quicker."""
        place = (function, alias)
        commit = run.order.commit
        strict = self.world.parts.strict
        if run.id in self.world.disturbed and self.live.get(place) != commit:
            return
        # One whose worker was lost after all was on record may end after the next one.
        if [one.id for one in self.world.recorded if one.order.environment == alias][-1] != run.id:
            return
        version = strict.live.get(place)
        assert version, f"promise 5: {run.id} succeeded without {function}:{alias}"
        found = self.version(function, version)["CodeSha256"]
        wanted = sha256(function, self.world.code[commit])
        assert found == wanted, f"promise 5: {run.id} succeeded, {function}:{alias} is another's"
        assert place not in strict.shared, f"promise 5: {run.id} left weights on {function}:{alias}"
        self.live[place] = commit

    def whole(self) -> None:
        """No alias is shared between two versions once all is over, but where a run said so."""
        for place in self.world.parts.strict.shared:
            by = self.last_mover(place)
            told = by != HAND and "may still" in self.world.parts.inside.log(by)
            assert told, f"promise 5: weights are left on {place} by {by}"
