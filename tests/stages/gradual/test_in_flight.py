"""A lost worker's step of a gradual release arrives late, or its worker wakes late."""

import threading

import pytest

from tests.stages.gradual.conftest import A, B
from workers.ledger import keys
from workers.ledger.model.run import State

LONG = pytest.mark.lane(strategy="canary-10-percent-10-minutes")


@LONG
def test_a_step_on_its_way_does_not_outlive_its_cancelled_run(lane):
    """The run ends as cancelled with all put back; then the lost worker's share arrives."""
    run_id = lane.begin(A, B, text="two")
    hold = lane.strict.hold("UpdateAlias", B)
    lane.lose(run_id, hold)
    assert lane.inside.call(f"/runs/{run_id}/cancel") == (202, {"state": "asked"})
    run = lane.ended(run_id)
    assert (run.state, run.rollout.state) == (State.CANCELLED, "undone")
    hold.arrive()
    assert lane.alias(A) == lane.alias(B) == ("1", {})


@LONG
def test_a_worker_that_slept_before_its_step_stops(lane):
    """It wakes after its run was put back, sees the alias as it had left it, and steps no more."""
    run_id = lane.begin(A, text="two")
    sleeper = threading.Thread(target=lane.visit, args=[run_id])
    first = lane.strict.hold("GetAlias", A, after=True)
    sleeper.start()
    assert first.reached.wait(20)
    hold = lane.strict.hold("GetAlias", A)
    first.open()
    assert hold.reached.wait(20)
    lane.inside.redis.zadd(keys.LEASES, {run_id: 0})
    assert lane.inside.call(f"/runs/{run_id}/cancel") == (202, {"state": "asked"})
    assert lane.ended(run_id).state is State.CANCELLED
    hold.open()
    sleeper.join()
    assert lane.alias(A) == ("1", {})


def test_what_has_begun_at_once_is_finished(lane):
    """A first release is lost between two aliases, and a newer commit is ready: nothing is half."""
    for name in (A, B):
        lane.cloud.client("lambda").delete_alias(FunctionName=name, Name="production")
    older = lane.begin(A, B, text="two")
    moved, hold = (lane.strict.hold("CreateAlias", name, after=name == A) for name in (A, B))
    lane.lose(older, moved, hold)
    hold.open(cut=True)
    assert (lane.alias(A), lane.alias(B)) == (("2", {}), None)
    lane.begin(A, B, text="three")
    assert lane.ended(older).state is State.SUCCEEDED
    assert lane.alias(A) == lane.alias(B) == ("2", {})
