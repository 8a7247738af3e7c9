"""What people may ask for, as values: hypothesis draws them."""

from dataclasses import dataclass

from tests.model.picks import open_run, picked, waiting_run
from tests.model.world import World
from workers.ledger.model.run import State


@dataclass(frozen=True)
class Say:
    """Somebody approves or rejects what waits."""

    pick: int
    verdict: str

    def do(self, world: World) -> None:
        """Say it, if anything waits."""
        if run_id := waiting_run(world, self.pick):
            status, _ = world.call(f"/runs/{run_id}/{self.verdict}")
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
        status, _ = world.call(f"/runs/{open_run(world, self.pick)}/cancel")
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
        status, answer = world.call(f"/runs/{run_id}/retry")
        assert status in (202, 409, 423), (status, answer)
        if status == 202 and world.run(run_id).order.rollback:
            world.rolled_back(world.run(run_id).order.environment or "", answer["run_id"])
        elif status == 202:
            key = world.run(run_id).order.key
            world.retried[key] += 1
            world.answers[key].add(answer["run_id"])
