"""Workers' visits, and what may happen to them, as values: hypothesis draws them."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.aws.wire import Answer, Request, refusal
from tests.model.picks import open_run
from tests.model.watched import Accident
from tests.model.world import World

FAULTS: dict[str, tuple[int, str]] = {
    "throttled": (429, "TooManyRequestsException"),
    "broken": (503, "ServiceUnavailable"),
    "busy": (409, "ResourceConflictException"),
    "changed": (412, "PreconditionFailedException"),
    "forbidden": (403, "AccessDeniedException"),
    "cut": (0, ""),
    "lost answer": (0, ""),
}


@dataclass(frozen=True)
class Work:
    """A worker visits a run, as far as that can go."""

    pick: int

    def do(self, world: World) -> None:
        """Do it, if there is any."""
        world.parts.counts["visits"] += 1
        world.visit(open_run(world, self.pick))


@dataclass(frozen=True)
class WorkWithFault:
    """A worker visits a run, and AWS has accidents at one of its calls and those that follow."""

    pick: int
    fault: str
    where: int
    effects: bool
    times: int
    slow: bool

    def do(self, world: World) -> None:
        """Do it."""
        strict, run_id = world.parts.strict, open_run(world, self.pick)

        def strike(request: Request) -> Answer | None:
            world.disturbed.add(run_id)
            world.parts.counts[f"fault: {self.fault}"] += 1
            status, code = FAULTS[self.fault]
            return refusal(request, status, code, "an accident") if status else None

        strict.update_seconds = strict.version_seconds = 0.05 * self.slow
        after = self.fault == "lost answer"
        of = "effect" if self.effects else "aws"
        strict.arm(Accident(self.where, strike, after, of, self.times))
        world.visit(run_id)
        strict.update_seconds = strict.version_seconds = 0.0


@dataclass(frozen=True)
class Kill:
    """SIGKILL ends a worker before or after one of its calls of AWS or words with the ledger."""

    pick: int
    at: str
    where: int
    after: bool

    def do(self, world: World) -> None:
        """Do it; a run may be through before."""
        self.strike(world, open_run(world, self.pick))

    def strike(self, world: World, run_id: str) -> None:
        """Do it to a worker of this run."""

        def arm(kill: Callable[[], None]) -> None:
            if self.at == "ledger":
                world.parts.gate.arm(self.where, kill, after=self.after)
            else:
                strike: Callable[[Request], None] = lambda _: kill()  # noqa: E731 - it is called
                world.parts.strict.arm(Accident(self.where, strike, self.after, self.at))

        if world.killed_visit(run_id, arm):
            world.parts.counts[f"kill: {self.at}"] += 1


@dataclass(frozen=True)
class ByHand:
    """An alias is moved or removed in the console, perhaps while a run is about to move it."""

    pick: int
    to: int
    remove: bool
    during: int | None

    def do(self, world: World) -> None:
        """Do it, if there is an alias."""
        strict, client = world.parts.strict, world.parts.cloud.client("lambda")
        places = sorted(place for place in strict.live if place[0] in world.functions)
        if not places:
            return
        function, alias = places[self.pick % len(places)]
        versions = sorted(world.versions(function))
        version = None if self.remove else versions[self.to % len(versions)]

        def act() -> None:
            if strict.live.get((function, alias)):
                strict.by_hand(function, alias, version, client)
                world.parts.counts["by hand"] += 1

        if self.during is None:
            act()
        else:
            run_id = open_run(world, self.during)
            world.disturbed.add(run_id)
            strict.meanwhile("UpdateAlias", act)
            world.visit(run_id)
