"""Promise 6: what is locked or rolled back stays as it is until it is unlocked, and says so."""

from tests.model.moves import Moves
from tests.model.watched import Move
from tests.model.world import Locked, World
from workers.ledger.model.run import Run, StageState, State


class Held:
    """The environments that somebody has locked or rolled back."""

    def __init__(self, world: World, moves: Moves) -> None:
        self.world = world
        self.moves = moves

    def admits(self, move: Move, back: bool, lock: Locked | None) -> None:
        """Whether a run may move an alias while its environment was locked like that."""
        if lock is None or lock.run == move.by:
            return
        assert not self._rolled_back(lock), f"promise 6: {move} after the rollback {lock.run}"
        assert back or move.by in lock.begun, f"promise 6: {move} in spite of {lock}"

    def _rolled_back(self, lock: Locked) -> bool:
        if lock.run not in self.moves.ended:
            return False
        return self.world.run(lock.run).state is State.SUCCEEDED

    def check(self, runs: list[Run]) -> None:
        """All that must hold between two steps."""
        for run in runs:
            if run.order.purpose == "rollback":
                self._builds_nothing(run)
            elif run.state is State.WAITING:
                self._is_shown(run)
        for environment, lock in self.world.locks.items():
            self._one_is_held(environment, runs)
            if lock.kind == "rollback" and self._rolled_back(lock):
                self._stays(environment, lock)

    def _builds_nothing(self, run: Run) -> None:
        assert [stage.name for stage in run.stages] == ["deploy", "release"]
        built = self.world.parts.strict.built[run.id]
        assert not built, f"promise 6: the rollback {run.id} has made {built} things"

    def _is_shown(self, run: Run) -> None:
        """What a lock holds back says so, and has moved nothing."""
        release = run.stages[-1]
        waits = release.state is StageState.WAITING and run.rollout is None
        if waits and not (release.summary or "").startswith("Waiting for run"):
            assert run.held, f"promise 6: {run.id} is not shown as held: {release}"
        if run.held:
            moved = [by for by, _ in self.moves.outstanding if by == run.id]
            assert not moved, f"promise 6: {run.id} is held, and has moved something"

    def _one_is_held(self, environment: str, runs: list[Run]) -> None:
        here = [run for run in runs if run.held and run.order.environment == environment]
        held = [run.id for run in here if not self.world.is_let_go(run)]
        assert len(held) <= 1, f"promise 6: {environment} holds back {held}"

    def _stays(self, environment: str, lock: Locked) -> None:
        """All functions of the rollback run what it went back to, and nothing else."""
        strict = self.world.parts.strict
        for release in self.world.run(lock.run).releases:
            place = (release.function, environment)
            if place in self.moves.loose:
                continue
            assert strict.live.get(place) == release.version, f"promise 6: {place} after {lock}"
            assert place not in strict.shared, f"promise 6: {place} has weights after {lock}"
