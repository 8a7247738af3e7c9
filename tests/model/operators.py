"""Rollbacks, locks and unlocks as operators ask for them, as values: hypothesis draws them."""

from dataclasses import dataclass

from tests.model.accidents import Kill
from tests.model.picks import push, released, walk
from tests.model.world import Locked, World
from workers.ledger.model.run import Run, State

NOBODY, MAY = "bob", "alice"


def may(environment: str, who: str) -> bool:
    """Whether somebody is one of an environment's operators."""
    return who == MAY or environment != "production"


@dataclass(frozen=True)
class Rollback:
    """Somebody rolls back, to what was live before or to a commit that may never have been.

    `then` is at which effect the worker that does it is killed; it does it later with None, and
    unharmed with a negative number.
    """

    environment: str
    who: str
    to: int | None
    alone: bool
    prepared: bool
    then: int | None

    def do(self, world: World) -> None:
        """Do it; the answer must be the one that this world's history calls for."""
        if self.prepared:
            released(world, self.environment)
        function = world.functions[0] if self.alone else None
        wanted, commit = self._wanted(world, function)
        body = {"function": function} if function else {}
        status, answer = world.call(
            f"/environments/{self.environment}/rollback", self.who, to=wanted, **body
        )
        expected = self._status(world, commit)
        assert status == expected, f"promise 6: {status} instead of {expected}: {answer}"
        world.parts.counts[f"rollback: {status}"] += 1
        if status == 202:
            assert answer["commit"] == commit, f"promise 6: back to {answer}, not {commit}"
            world.rolled_back(self.environment, answer["run_id"])
            self._go_on(world, answer["run_id"])

    def _wanted(self, world: World, function: str | None) -> tuple[str, str | None]:
        """What is asked for, and the commit that it means, if it ever was live there."""
        runs = world.released(self.environment, function)
        if self.to is None:
            return "previous", previous(runs, function)
        commit = list(world.code)[self.to % len(world.code)]
        known = commit in {run.order.commit for run in runs}
        return commit[:12], commit if known else None

    def _status(self, world: World, commit: str | None) -> int:
        if not may(self.environment, self.who):
            return 403
        lock = world.locks.get(self.environment)
        if lock and lock.kind == "lock":
            return 423
        return 202 if commit else 404

    def _go_on(self, world: World, run_id: str) -> None:
        if self.then is None or world.run(run_id).state is not State.QUEUED:
            return
        if self.then < 0:
            world.visit(run_id)
        else:
            Kill(0, "effect", self.then, after=self.then % 2 == 0).strike(world, run_id)


def previous(runs: list[Run], function: str | None) -> str | None:
    """What was live before what is live, with all that was rolled back from left out."""
    commits: list[str] = []
    for run in runs:
        back, commit = run.order.rollback, run.order.commit
        if back and back.function and not function:
            continue
        if back and commit in commits:
            commits = commits[: commits.index(commit) + 1]
        elif commits[-1:] != [commit]:
            commits.append(commit)
    return commits[-2] if len(commits) > 1 else None


@dataclass(frozen=True)
class Lock:
    """Somebody locks an environment, for an hour or until it is unlocked."""

    environment: str
    who: str
    expires: bool

    def do(self, world: World) -> None:
        """Do it; one that is locked stays as it is."""
        body = {"reason": "a freeze"} | ({"expires_in": "1h"} if self.expires else {})
        status, _ = world.call(f"/environments/{self.environment}/lock", self.who, **body)
        known = world.locks.get(self.environment)
        if not may(self.environment, self.who):
            assert status == 403
        elif known:
            assert status in ({200, 409} if known.kind == "lock" else {409}), status
        else:
            assert status == 200
            world.locked(self.environment, Locked("lock", expires=self.expires))
        world.parts.counts[f"lock: {status}"] += 1


def locked(world: World, environment: str) -> None:
    """See that an environment is locked, and that somebody pushes to it."""
    if environment not in world.locks:
        Lock(environment, MAY, expires=False).do(world)
    walk(world, push(world, environment))


@dataclass(frozen=True)
class Unlock:
    """Somebody unlocks an environment; what was held goes on, or ends."""

    environment: str
    who: str
    release: bool
    prepared: bool

    def do(self, world: World) -> None:
        """Do it; the answer offers what was held."""
        if self.prepared:
            locked(world, self.environment)
        here = [run for run in world.open() if run.order.environment == self.environment]
        held = {run.id: run.fence for run in here if run.held and not world.is_let_go(run)}
        status, answer = world.call(
            f"/environments/{self.environment}/unlock", self.who, release=self.release
        )
        if not may(self.environment, self.who):
            assert status == 403
        elif self.environment not in world.locks:
            assert status == 409
        else:
            assert status == 200
            del world.locks[self.environment]
            self._offers(world, held, {one["run_id"] for one in answer["runs"]})
        world.parts.counts[f"unlock: {status}"] += 1

    def _offers(self, world: World, held: dict[str, int], offered: set[str]) -> None:
        world.let_go |= held
        assert held.keys() <= offered, f"promise 6: {held} were held, {offered} are offered"
        world.parts.counts["unlocked with a held run"] += bool(held)
        for run_id in offered - held.keys():
            assert world.run(run_id).state is State.RUNNING, f"promise 6: {run_id} was not held"
        if not self.release:
            assert {world.run(run_id).state for run_id in held} <= {State.CANCELLED}
