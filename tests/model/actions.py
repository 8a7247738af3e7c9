"""What may happen next, as values: hypothesis draws them, and a failing story is a list of them."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.aws.wire import Answer, Request, refusal
from tests.model.watched import Accident
from tests.model.world import BRANCHES, World
from workers.run import Run, State

FAULTS: dict[str, tuple[int, str]] = {
    "throttled": (429, "TooManyRequestsException"),
    "broken": (503, "ServiceUnavailable"),
    "busy": (409, "ResourceConflictException"),
    "changed": (412, "PreconditionFailedException"),
    "forbidden": (403, "AccessDeniedException"),
    "cut": (0, ""),
    "lost answer": (0, ""),
}


def picked(runs: list[Run], pick: int) -> str:
    """The id of one of these runs, or nothing where there are none."""
    return runs[pick % len(runs)].id if runs else ""


def open_run(world: World, pick: int) -> str:
    """The id of a run that is not over; where there is none, somebody pushes."""
    runs = world.open()
    if not runs:
        branch = sorted(BRANCHES)[pick % len(BRANCHES)]
        world.commit(branch, str(pick % 5))
        world.announce(branch, told=True)
        runs = world.open()
    return picked(runs, pick)


def waiting_run(world: World, pick: int) -> str:
    """The id of a run that waits for people; where there is none, one is brought there."""
    runs = [run for run in world.open() if run.state is State.WAITING]
    if runs:
        return picked(runs, pick)
    world.commit("master", str(pick % 5))
    world.announce("master", told=True)
    run = world.open()[-1]
    world.visit(run.id)
    return run.id if world.run(run.id).state is State.WAITING else ""


@dataclass(frozen=True)
class Push:
    """A commit on a branch; its webhook comes now, or later, or never."""

    branch: str
    code: str
    told: bool

    def do(self, world: World) -> None:
        """Do it."""
        world.commit(self.branch, self.code)
        world.announce(self.branch, told=self.told)


@dataclass(frozen=True)
class Merge:
    """A merge with the files of its source, as that of a branch that is up to date."""

    source: str
    onto: str
    told: bool
    by_pull_request: bool

    def do(self, world: World) -> None:
        """Do it, unless it is merged already."""
        tip, base = world.heads[self.source], world.heads[self.onto]
        if tip not in world.ancestors(base):
            world.commit(self.onto, world.code[tip], [base, tip])
            world.announce(self.onto, told=self.told, merged=self.by_pull_request)


@dataclass(frozen=True)
class FastForward:
    """A branch moves on to a commit that another has: one commit in two environments."""

    source: str
    onto: str
    told: bool

    def do(self, world: World) -> None:
        """Do it, where it is one."""
        tip, base = world.heads[self.source], world.heads[self.onto]
        if tip != base and base in world.ancestors(tip):
            world.point(self.onto, tip)
            world.announce(self.onto, told=self.told)


@dataclass(frozen=True)
class ForcePush:
    """A branch goes back to an earlier commit, or to a new one after that."""

    branch: str
    back_to: int
    code: str
    fresh: bool
    told: bool

    def do(self, world: World) -> None:
        """Do it."""
        # In the order of their making: a commit's id is not the same each time.
        history = [one for one in world.code if one in world.ancestors(world.heads[self.branch])]
        earlier = history[self.back_to % len(history)]
        if self.fresh:
            world.commit(self.branch, self.code, [earlier])
        else:
            world.point(self.branch, earlier)
        world.announce(self.branch, told=self.told)


@dataclass(frozen=True)
class Deliver:
    """A webhook that is late, or comes once more, perhaps under another number."""

    pick: int
    anew: bool

    def do(self, world: World) -> None:
        """Do it, if there is any."""
        if world.post:
            world.parts.counts["delivered late or again"] += 1
            world.deliver(self.pick % len(world.post), anew=self.anew)


@dataclass(frozen=True)
class Say:
    """Somebody approves or rejects what waits."""

    pick: int
    verdict: str

    def do(self, world: World) -> None:
        """Say it, if anything waits."""
        if run_id := waiting_run(world, self.pick):
            status, _ = world.parts.inside.call(f"/runs/{run_id}/{self.verdict}")
            assert status in (202, 409), status
            world.parts.counts[f"said {self.verdict}"] += 1


@dataclass(frozen=True)
class NobodyAnswers:
    """The time for an approval goes by."""

    pick: int

    def do(self, world: World) -> None:
        """Let it go by, if anything waits."""
        if run_id := waiting_run(world, self.pick):
            world.out_of_patience(run_id)


@dataclass(frozen=True)
class Cancel:
    """Somebody cancels a run, at work or not."""

    pick: int

    def do(self, world: World) -> None:
        """Do it, if there is any."""
        status, _ = world.parts.inside.call(f"/runs/{open_run(world, self.pick)}/cancel")
        assert status in (200, 202, 409), status
        world.parts.counts["cancelled"] += 1


@dataclass(frozen=True)
class Retry:
    """Somebody retries a run that has failed or was cancelled."""

    pick: int

    def do(self, world: World) -> None:
        """Do it, if there is any."""
        ended = [r for r in world.runs() if r.state in (State.FAILED, State.CANCELLED)]
        if not (run_id := picked(ended, self.pick)):
            return
        status, answer = world.parts.inside.call(f"/runs/{run_id}/retry")
        if status == 202:
            key = world.run(run_id).order.key
            world.retried[key] += 1
            world.answers[key].add(answer["run_id"])


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
        strict.arm(Accident(self.where, strike, after, self.effects, self.times))
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
        run_id = open_run(world, self.pick)

        def arm(kill: Callable[[], None]) -> None:
            if self.at == "ledger":
                world.parts.gate.arm(self.where, kill, after=self.after)
            else:
                effects = self.at == "effect"
                strike: Callable[[Request], None] = lambda _: kill()  # noqa: E731 - it is called
                world.parts.strict.arm(Accident(self.where, strike, self.after, effects))

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


Action = (
    Push | Merge | FastForward | ForcePush | Deliver | Say | NobodyAnswers | Cancel | Retry
    | Work | WorkWithFault | Kill | ByHand
)  # fmt: skip
