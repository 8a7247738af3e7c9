"""Two branches pushed at once to the same four functions, by two worker processes."""

import time

import pytest

from tests.model.parts import ASIDE, BRANCHES, Parts
from tests.model.promises import Promises
from tests.model.repository import sha256
from tests.model.workers import Worker
from tests.model.world import World
from workers.ledger.model.run import State

BRANCH_A, BRANCH_B = "develop", ASIDE
ALIASES = {**BRANCHES, ASIDE: ASIDE}
FUNCTIONS = "ABCD"
ROUNDS, MANY_ROUNDS = 20, 200
PAUSE = 0.05
"""Seconds between two tries at a function that the other one has; Slipway's own is a second."""


def race(parts: Parts, rounds: int) -> None:
    """Both branches at once, many times; who is first differs, and so does AWS's haste."""
    world = World(parts, FUNCTIONS)
    world.point(ASIDE, world.heads["develop"])
    promises = Promises(world)
    parts.strict.on_move = lambda _: None
    waited = 0

    def walk(run_id: str) -> None:
        while not world.run(run_id).state.final:
            parts.inside.hurry(run_id)
            if parts.inside.advance(run_id) == "paused":
                time.sleep(PAUSE)

    try:
        with Worker(parts, walk) as one, Worker(parts, walk) as other:
            for number in range(rounds):
                parts.strict.update_seconds = 0.05 * (number % 4 == 0)
                runs = {}
                for branch, code in ((BRANCH_A, 4 * number), (BRANCH_B, 4 * number + 2)):
                    world.commit(branch, str(code))
                    world.announce(branch, told=True)
                    runs[branch] = world.runs()[-1].id
                one.begin(runs[BRANCH_A])
                other.begin(runs[BRANCH_B])
                one.finish()
                other.finish()
                world.note_recorded()
                waited += _right(world, promises, runs)
    finally:
        parts.strict.update_seconds = 0.0
    for function in world.functions:
        promises.versions_of(function)
        assert len(world.versions(function)) == 2 * rounds
    assert waited, "the two never met at a function: nothing was proved"
    print(f"{rounds} rounds; in {waited} runs one waited for the other")


def _right(world: World, promises: Promises, runs: dict[str, str]) -> int:
    """Each alias runs its own branch's package; in how many runs somebody waited."""
    for branch, run_id in runs.items():
        run = world.run(run_id)
        assert run.state is State.SUCCEEDED, world.story()
        for function in world.functions:
            version = world.live(function, ALIASES[branch])
            found = promises.version(function, str(version))
            assert found["Description"] == run.order.commit
            assert found["CodeSha256"] == sha256(function, world.code[run.order.commit])
    return sum("this run waits its turn" in world.parts.inside.log(one) for one in runs.values())


def test_two_branches_at_once_never_get_each_others_code(parts: Parts) -> None:
    """20 rounds: each version's hash is the hash of the commit in its description."""
    race(parts, ROUNDS)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_two_branches_at_once_200_times(parts: Parts) -> None:
    """200 rounds: each version's hash is the hash of the commit in its description."""
    race(parts, MANY_ROUNDS)
