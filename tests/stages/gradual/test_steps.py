"""Shares move in steps, by the clock of Redis, and the last one is all of the traffic."""

import pytest

from tests.stages.gradual.conftest import A, B
from workers.ledger.model.run import State


def test_a_canary_gets_its_share_and_then_everything(lane):
    """First a tenth, then all with empty weights; the run says how far it is all along."""
    run_id = lane.begin(A, B, text="two")
    assert lane.visit(run_id) == "waiting"
    run = lane.inside.run(run_id)
    assert lane.alias(A) == lane.alias(B) == ("1", {"2": 0.1})
    assert run.state is State.WAITING
    assert (run.rollout.step, run.rollout.steps, run.rollout.percent) == (1, 2, 10)
    assert lane.inside.stage(run_id, "release") == str(run.rollout)
    assert "10 % since" in str(run.rollout)
    run = lane.ended(run_id)
    assert run.state is State.SUCCEEDED, lane.inside.log(run_id)
    assert lane.alias(A) == lane.alias(B) == ("2", {})
    assert (run.rollout.state, run.rollout.percent, run.unfinished) == ("done", 100, False)
    assert run.finished_at - run.rollout.began >= 1000
    assert {(one.function, one.version, one.alias) for one in run.releases} == {
        (A, "2", "production"),
        (B, "2", "production"),
    }


@pytest.mark.lane(strategy="linear-40-percent-every-1-second")
def test_a_linear_release_takes_every_step_in_its_time(lane):
    """Each share lasts its second at least, in the log, on the alias, and in this order."""
    run_id = lane.begin(A, text="two")
    seen = []

    def look(run):
        found = lane.alias(A)
        if not seen or seen[-1] != found:
            seen.append(found)
        return run.state.final

    run = lane.until(run_id, look)
    assert seen == [("1", {}), ("1", {"2": 0.4}), ("1", {"2": 0.8}), ("2", {})]
    assert run.finished_at - run.rollout.began >= 2000
    log = lane.inside.log(run_id)
    assert "step 1 of 3: 40 % since" in log
    assert "step 2 of 3: 80 % since" in log
    assert lane.writes() == ["UpdateAlias"] * 3
