"""Time and alarms, and gradual releases that live on them, as values: hypothesis draws them."""

from dataclasses import dataclass

from tests.model.accidents import Kill
from tests.model.operators import MAY, Lock, Rollback
from tests.model.picks import push, walk
from tests.model.world import World
from workers.ledger import keys

STAGED = "staging"


@dataclass(frozen=True)
class TimePasses:
    """Leases of dead workers end, parked runs wake, steps of gradual releases are over."""

    locks: bool

    def do(self, world: World) -> None:
        """Let it pass; `locks` that were set for an hour end, too."""
        world.time_passes()
        for environment, lock in list(world.locks.items()):
            if self.locks and lock.expires:
                world.parts.inside.redis.delete(keys.locked(environment))
                del world.locks[environment]


@dataclass(frozen=True)
class Alarm:
    """The alarm that guards gradual releases strikes, or no longer does."""

    strikes: bool

    def do(self, world: World) -> None:
        """Do it."""
        world.alarm("ALARM" if self.strikes else "OK")


def alarmed(world: World, run_id: str) -> None:
    """The alarm strikes, and a worker looks at it."""
    world.alarm("ALARM")
    world.visit(run_id)
    world.alarm("OK")


def cancelled(world: World, run_id: str) -> None:
    """Somebody cancels it."""
    world.call(f"/runs/{run_id}/cancel")
    world.visit(run_id)


def locked(world: World, run_id: str) -> None:
    """Somebody locks the environment: it goes back, and is held."""
    Lock(STAGED, MAY, expires=False).do(world)
    walk(world, run_id)


def rolled_back(world: World, run_id: str) -> None:
    """Somebody rolls back while it is under way."""
    Rollback(STAGED, MAY, None, alone=False, prepared=True, then=-1).do(world)


def killed(world: World, run_id: str) -> None:
    """A worker dies between two functions' steps, and the time of the step is over."""
    world.time_passes()
    Kill(0, "effect", 0, after=True).strike(world, run_id)


def overtaken(world: World, run_id: str) -> None:
    """A newer commit is ready, and waits for its turn."""
    walk(world, push(world, STAGED))


AMID = {one.__name__: one for one in (alarmed, cancelled, locked, rolled_back, killed, overtaken)}


@dataclass(frozen=True)
class Gradual:
    """A gradual release is begun; some steps are taken, and then comes one of `AMID`."""

    steps: int
    amid: str

    def do(self, world: World) -> None:
        """Do it, once something is live there."""
        if not world.released(STAGED):
            walk(world, push(world, STAGED))
        run_id = push(world, STAGED)
        world.visit(run_id)
        for _ in range(self.steps):
            world.time_passes()
            self._visit(world, run_id)
        if not world.run(run_id).state.final and world.run(run_id).rollout:
            world.parts.counts[f"amid a gradual release: {self.amid}"] += 1
            AMID[self.amid](world, run_id)

    def _visit(self, world: World, run_id: str) -> None:
        if not world.run(run_id).state.final:
            world.visit(run_id)
