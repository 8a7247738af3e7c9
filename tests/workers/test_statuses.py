"""What GitHub is told about a run in each state."""

import pytest

from tests.orders import order, pull_request
from workers.run import Run, StageRecord, StageState, State
from workers.statuses import statuses

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


def test_a_living_run_is_pending():
    """Until a context's stages are done it is pending, and success as soon as they are."""
    shown = told(run("running", "succeeded", "succeeded", "running"))
    assert shown == {
        "test": ("success", "test done"),
        "build": ("pending", "In progress"),
        "deploy/sandbox": ("pending", "In progress"),
    }


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
    shown = run("running").model_copy(update={"stages": stages})
    assert told(shown) == {"test": ("success", text)}
    waits = stages[2].model_copy(update={"state": StageState.WAITING, "summary": "Waiting for it"})
    waiting = shown.model_copy(update={"stages": (*stages[:2], waits)})
    assert told(waiting) == {"test": ("pending", "Waiting for it")}


def test_a_run_that_waits_says_for_what():
    """The text of a stage that waits stands where its end is awaited."""
    shown = told(run("waiting", *["succeeded"] * 5, "waiting"))
    assert shown["deploy/sandbox"] == ("pending", "release done")
    assert shown["build"] == ("success", "build done")


@pytest.mark.parametrize(("fault", "state"), [("user", "failure"), ("ours", "error")])
def test_a_failed_run_leaves_nothing_pending(fault, state):
    """The failing context says why; those after it say that they did not run, and why."""
    shown = told(
        run(
            "failed",
            "succeeded",
            "failed",
            "skipped",
            "skipped",
            "skipped",
            "skipped",
            fault=fault,
            error="unit failed with exit code 1",
        )
    )
    assert shown == {
        "test": (state, "unit failed with exit code 1"),
        "build": (state, "Not run: unit failed with exit code 1"),
        "deploy/sandbox": (state, "Not run: unit failed with exit code 1"),
    }


@pytest.mark.parametrize("state", ["cancelled", "superseded"])
def test_a_run_that_was_ended_says_by_whom(state):
    """Neither is the code's fault; what was done stays done."""
    shown = told(
        run(
            state,
            "succeeded",
            "succeeded",
            "failed",
            "skipped",
            "skipped",
            "skipped",
            error="by ada",
        )
    )
    assert shown["test"][0] == "success"
    assert shown["build"] == ("error", f"{state.capitalize()}: by ada")
    assert shown["deploy/sandbox"] == ("error", f"{state.capitalize()}: by ada")


def test_a_merged_pull_requests_head_shows_the_deploy():
    """The deploy status goes on the merge commit and on the pull request's head."""
    merged = run("succeeded", *["succeeded"] * 6, wanted=order(pull_request=pull_request()))
    on_head = [(s.context, s.state) for s in statuses(merged) if s.sha == "b" * 40]
    assert on_head == [("slipway/deploy/sandbox", "success")]
    assert len(statuses(merged)) == 4


def test_a_head_that_is_the_merge_is_told_once():
    """A fast-forward merge has one commit, and one status for each context."""
    same = order(pull_request=pull_request(head="a" * 40))
    assert len(statuses(run("running", wanted=same))) == 3


def test_a_check_tells_nothing_of_deploys():
    """A pull request's check has two contexts, on its head."""
    wanted = order(purpose="check", environment=None, pull_request=pull_request(head="a" * 40))
    check = run("running", wanted=wanted).model_copy(update={"stages": run("running").stages[:3]})
    assert [s.context for s in statuses(check)] == ["slipway/test", "slipway/build"]
