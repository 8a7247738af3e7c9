"""What GitHub is not told: tried again while it may yet be, and said in the run."""

import pytest

from tests.e2e.town import DEPLOY, until
from tests.stand_ins.slipway import TOKEN

pytestmark = pytest.mark.e2e

UNKNOWN = {"message": "No commit found for SHA: it"}
FORBIDDEN = {"message": "Resource not accessible by integration"}


def test_a_commit_that_the_api_does_not_know_yet_gets_its_verdict_later(town):
    """For its first seconds POST /statuses answers 422; the verdict comes all the same."""
    place = town.place("unt-unknown")
    path = f"^/repos/{place.repository}/statuses/"
    fault = town.github.fail_next("POST", path, times=3, status=422, body=UNKNOWN)
    commit = place.push(place.files(slipway__toml="nonsense ]"))
    until(
        lambda: set(place.states(commit).values()) == {"failure"},
        60,
        lambda: f"GitHub was told {place.states(commit)}",
    )
    assert fault.struck == 3


def test_a_commit_that_never_turns_up_keeps_no_other_from_its_status(town):
    """The merge commit is unknown for good: the pull request's head gets the deploy's status."""
    place = town.place("unt-head")
    base = place.push()
    place.ended(base)
    head = place.commit(place.files("two"), "feature")
    pull = town.github.open_pull_request(place.repository, "feature", "develop")
    path = f"^/repos/{place.repository}/statuses/(?!{head}|{base})"
    town.github.fail_next("POST", path, times=999, status=422, body=UNKNOWN)
    merged = town.github.merge(pull).merge_commit_sha
    until(
        lambda: place.states(head).get(DEPLOY) == "success",
        60,
        lambda: place.states(head),
    )
    assert place.states(merged) == {}


def test_a_missing_permission_is_said_in_the_run(town):
    """Its log, its JSON and its page name the refusal and whose turn it is; once given, it goes."""
    place = town.place("unt-forbidden")
    path = f"^/repos/{place.repository}/statuses/"
    fault = town.github.fail_next("POST", path, times=4, status=403, body=FORBIDDEN)
    commit = place.push()
    run = until(
        lambda: next((run for run in place.runs(commit) if run["untold"]), None), 30, "it is told"
    )
    (untold,) = town.slipway.run(run["id"])["untold"]
    assert untold["channel"] == "github"
    assert "Resource not accessible by integration" in untold["why"]
    assert "write access to commit statuses" in untold["why"]
    assert place.log(commit).count("[github] ") == 1
    assert "write access to commit statuses" in place.log(commit)
    page = town.slipway.get(f"/runs/{run['id']}", token=TOKEN).text
    assert "GitHub does not show this yet" in page
    assert place.ended(commit)["state"] == "succeeded"
    assert fault.struck == 4
    until(lambda: not town.slipway.run(run["id"])["untold"], 10, "still untold")
