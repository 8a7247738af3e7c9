"""What an action is about: one of the runs that there are, or one that is brought there first."""

from tests.model.parts import BRANCHES
from tests.model.world import World
from workers.ledger.model.run import Run


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
    runs = [run for run in world.open() if run.asks]
    if runs:
        return picked(runs, pick)
    world.commit("master", str(pick % 5))
    world.announce("master", told=True)
    run = world.open()[-1]
    world.visit(run.id)
    return run.id if world.run(run.id).asks else ""


def walk(world: World, run_id: str) -> None:
    """Visit a run until it is over, or is held; people say yes, and time passes."""
    for _ in range(8):
        run = world.run(run_id)
        if run.state.final or run.held:
            return
        if run.asks:
            world.call(f"/runs/{run_id}/approve")
        world.time_passes()
        world.visit(run_id)


def push(world: World, environment: str, code: str = "") -> str:
    """Somebody pushes a commit, with other packages or that code, to a branch; its run's id."""
    branch = next(branch for branch, name in BRANCHES.items() if name == environment)
    world.commit(branch, code or str((int(world.code[world.heads[branch]]) + 2) % 5))
    world.announce(branch, told=True)
    return world.runs()[-1].id


def released(world: World, environment: str) -> None:
    """See that there is something to roll back: two commits that were live there."""
    for _ in range(2 - len({run.order.commit for run in world.released(environment)})):
        walk(world, push(world, environment))


def moving_run(world: World, pick: int) -> str:
    """A run whose next visit moves an alias that is there already, unless something is locked."""
    environment = sorted(BRANCHES.values())[pick % len(BRANCHES)]
    if not world.released(environment):
        walk(world, push(world, environment))
    run_id = push(world, environment)
    if environment == "production":
        world.visit(run_id)
        world.call(f"/runs/{run_id}/approve")
    return run_id
