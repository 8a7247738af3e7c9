"""Workers that outlive their leases, and requests that arrive late, as values."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.aws.wire import Request
from tests.model.picks import moving_run, open_run, push, walk
from tests.model.visits import Sleeper
from tests.model.watched import Accident
from tests.model.world import World


def nothing(world: World, run_id: str) -> None:
    """Whatever the story has next happens meanwhile."""


def successor(world: World, run_id: str) -> None:
    """Another worker takes the run to its end."""
    walk(world, run_id)


def cancelled(world: World, run_id: str) -> None:
    """Somebody cancels the run, and another worker ends it."""
    world.call(f"/runs/{run_id}/cancel")
    walk(world, run_id)


def overtaken(world: World, run_id: str) -> None:
    """A newer commit goes as far as it can before anybody takes the run over, and then the run."""
    walk(world, push(world, world.run(run_id).order.environment or ""))
    walk(world, run_id)


def reverted(world: World, run_id: str) -> None:
    """A newer commit has the packages that are live: its run has nothing to write."""
    environment = world.run(run_id).order.environment or ""
    live = world.released(environment)
    walk(world, push(world, environment, world.code[live[-1].order.commit] if live else "0"))


def rolled_back(world: World, run_id: str) -> None:
    """Somebody rolls back to what is live, before anybody takes the run over, and then the run."""
    environment = world.run(run_id).order.environment or ""
    runs = world.released(environment)
    lock = world.locks.get(environment)
    if runs and not (lock and lock.kind == "lock"):
        path = f"/environments/{environment}/rollback"
        status, answer = world.call(path, to=runs[-1].order.commit)
        assert status == 202, answer
        world.rolled_back(environment, answer["run_id"])
        world.parts.counts["rolled back while one slept"] += 1
        world.visit(answer["run_id"])
        walk(world, run_id)
        walk(world, answer["run_id"])


_ALL = (nothing, successor, cancelled, overtaken, reverted, rolled_back)
MEANWHILE = {one.__name__: one for one in _ALL}


@dataclass(frozen=True)
class Sleep:
    """A worker stops, or dies, and what it has sent is late: its lease is over before that arrives.

    `at`, `where` and `after` are as in a kill, or it is where an alias moves; `meanwhile` is what
    comes next, of `MEANWHILE`; it `wakes` after that, or some day.
    """

    pick: int
    at: str
    where: int
    after: bool
    dies: bool
    meanwhile: str
    wakes: bool

    def do(self, world: World) -> None:
        """Do it, once the one that sleeps already is awake."""
        Wake().do(world)
        pick = moving_run if self.at == "move" else open_run
        run_id = pick(world, self.pick)
        if not self._falls_asleep(world, run_id):
            return
        world.parts.counts[f"asleep: {self.at}"] += 1
        MEANWHILE[self.meanwhile](world, run_id)
        if self.wakes:
            Wake().do(world)

    def _falls_asleep(self, world: World, run_id: str) -> bool:
        def arm(sleeper: Sleeper) -> None:
            if self.at == "ledger":
                world.parts.gate.arm(
                    self.where, sleeper.stop, after=self.after, over=sleeper.over.set
                )
            else:
                strike: Callable[[Request], None] = lambda _: sleeper.stop()  # noqa: E731
                world.parts.strict.arm(
                    Accident(self.where, strike, self.after, self.at, over=sleeper.over.set)
                )

        return world.sleeping_visit(run_id, arm, dies=self.dies) is not None


@dataclass(frozen=True)
class Wake:
    """The worker that sleeps goes on; or what the dead one had sent arrives."""

    def do(self, world: World) -> None:
        """Do it, if there is one."""
        world.parts.counts["woken"] += world.sleeper is not None
        world.wake()
