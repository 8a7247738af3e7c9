"""What GitHub is told about a run in each state."""

import pytest

from tests.orders import order, pull_request
from workers.ledger.model.run import Run, StageRecord, StageState, State
from workers.report.statuses import statuses

NAMES = ("checkout", "test", "build", "publish", "deploy", "release")


def run(state, *states, wanted=None, **more):
    """A run whose stages are in these states, the rest pending."""
    filled = (*states, *["pending"] * (len(NAMES) - len(states)))
    stages = tuple(
        StageRecord(name=name, state=StageState(one), summary=f"{name} done")
        for name, one in zip(NAMES, filled, strict=True)
    )
    return Run(
        id="1", order=wanted or order(), state=State(state), stages=stages, created_at=0, **more
    )


def told(shown):
    """Context to state and description, without the common prefix."""
    return {s.context.removeprefix("slipway/"): (s.state, s.description) for s in statuses(shown)}


def check(*arguments, **more):
    """The same of a pull request's check."""
    wanted = order(purpose="check", pull_request=pull_request(head="a" * 40))
    made = run(*arguments, wanted=wanted, **more)
    return made.model_copy(update={"stages": made.stages[:3]})


def test_a_living_check_is_pending():
    """Until a context's stages are done it is pending, and success as soon as they are."""
    assert told(check("running", "succeeded", "succeeded", "running")) == {
        "test": ("success", "test done"),
        "build": ("pending", "In progress"),
    }


@pytest.mark.parametrize(
    ("done", "text"), [(0, "Testing"), (2, "Tested; building"), (3, "Deploying"), (5, "Deploying")]
)
def test_a_living_deploy_says_where_it_stands(done, text):
    """It has one context, its test and build included."""
    shown = told(run("running", *["succeeded"] * done, "running"))
    assert shown == {"deploy/sandbox": ("pending", text)}


@pytest.mark.parametrize(
    ("gate", "text"),
    [
        ("quality gate passed, 3 conditions", "2 checks passed; quality gate passed, 3 conditions"),
        ("no [sonar] table", "2 checks passed"),
    ],
)
def test_the_tests_and_the_gate_have_one_status(gate, text):
    """It succeeds when both have, and says both; what nobody asked for is not said."""
    said = {"checkout": "commit abc", "test": "2 checks passed", "analyze": gate}
    stages = tuple(
        StageRecord(name=name, state=StageState.SUCCEEDED, summary=summary)
        for name, summary in said.items()
    )
    shown = check("running").model_copy(update={"stages": stages})
    assert told(shown) == {"test": ("success", text)}
    waits = stages[2].model_copy(update={"state": StageState.WAITING, "summary": "Waiting for it"})
    waiting = shown.model_copy(update={"stages": (*stages[:2], waits)})
    assert told(waiting) == {"test": ("pending", "Waiting for it")}


def test_a_run_that_waits_says_for_what():
    """The text of a stage that waits stands where its end is awaited."""
    shown = told(run("waiting", *["succeeded"] * 5, "waiting"))
    assert shown == {"deploy/sandbox": ("pending", "release done")}


@pytest.mark.parametrize(("fault", "state"), [("user", "failure"), ("ours", "error")])
def test_a_failed_run_leaves_nothing_pending(fault, state):
    """The failing context says why; those after it say that they did not run, and why."""
    why = "unit failed with exit code 1"
    states, more = ("succeeded", "failed", *["skipped"] * 4), {"fault": fault, "error": why}
    assert told(check("failed", *states, **more)) == {
        "test": (state, why),
        "build": (state, f"Not run: {why}"),
    }
    assert told(run("failed", *states, **more)) == {"deploy/sandbox": (state, why)}


@pytest.mark.parametrize("state", ["cancelled", "superseded"])
def test_a_run_that_was_ended_says_by_whom(state):
    """Neither is the code's fault; what was done stays done."""
    states = ("succeeded", "succeeded", "failed", *["skipped"] * 3)
    ended = ("error", f"{state.capitalize()}: by ada")
    shown = told(check(state, *states, error="by ada"))
    assert (shown["test"][0], shown["build"]) == ("success", ended)
    assert told(run(state, *states, error="by ada")) == {"deploy/sandbox": ended}


def test_a_merged_pull_requests_head_shows_the_deploy():
    """The deploy status goes on the merge commit and on the pull request's head."""
    merged = run("succeeded", *["succeeded"] * 6, wanted=order(pull_request=pull_request()))
    on_head = [(s.context, s.state) for s in statuses(merged) if s.sha == "b" * 40]
    assert on_head == [("slipway/deploy/sandbox", "success")]
    assert len(statuses(merged)) == 2


def test_a_head_that_is_the_merge_is_told_once():
    """A fast-forward merge has one commit, and one status."""
    same = order(pull_request=pull_request(head="a" * 40))
    assert len(statuses(run("running", wanted=same))) == 1


@pytest.mark.parametrize("purpose", ["deploy", "rollback"])
def test_a_check_and_a_deploy_never_write_one_context(purpose):
    """Neither of them speaks of the other, on the same commit of the same environment."""
    checked = {s.context for s in statuses(check("running"))}
    other = {s.context for s in statuses(run("running", wanted=order(purpose=purpose)))}
    assert checked == {"slipway/test", "slipway/build"}
    assert other == {"slipway/deploy/sandbox"}
