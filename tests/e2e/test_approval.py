"""Production waits for people, holding no worker, and moves only on their word."""

import time

import pytest
import requests

from tests.e2e.conftest import small
from tests.stand_ins.slipway import TOKEN, Slipway

pytestmark = pytest.mark.e2e
TOKENS = f"tests:{TOKEN},ada:token-of-ada,bob:token-of-bob,eve:token-of-eve"
RULE = '\napproval = { required = 2, timeout = "2h", approvers = ["ada", "bob"] }\n'


@pytest.fixture
def gated(world):
    """A Slipway whose production asks for two approvals."""
    slipway = world.slipway
    path = slipway.folder / "server.toml"
    path.write_text(path.read_text().replace('branch = "master"', 'branch = "master"' + RULE))
    slipway.environment["SLIPWAY_API_TOKENS"] = TOKENS
    slipway.stop()
    slipway.start()
    return world


def say(slipway: Slipway, run, verdict, who, **word):
    """Approve or reject as somebody; the answer."""
    url = f"{slipway.url}/api/v1/runs/{run['id']}/{verdict}"
    headers = {"Authorization": f"Bearer token-of-{who}"}
    return requests.post(url, json=word, headers=headers, timeout=10)


def waiting(world, commit):
    """The run of a commit, once it waits."""
    deadline = time.monotonic() + 60
    run = world.run_of(commit)
    while run["state"] != "waiting":
        assert time.monotonic() < deadline, world.story(run)
        assert run["state"] in ("queued", "running"), world.story(run)
        time.sleep(0.1)
        run = world.slipway.run(run["id"])
    return run


def test_two_approvals_release_it(gated):
    """The alias moves on the second yes; who said what from where stays in the run."""
    commit = gated.push(small(), branch="master")
    run = waiting(gated, commit)
    assert gated.alias("production") is None
    assert [stage["state"] for stage in run["stages"]][-2:] == ["waiting", "pending"]
    assert run["approval"]["required"] == 2
    assert run["approval"]["expires_at"]
    seen = {"commit": commit, "sha256": run["approval"]["sha256"]}

    stranger = say(gated.slipway, run, "approve", "eve", **seen)
    assert (stranger.status_code, stranger.headers["Content-Type"]) == (
        403,
        "application/problem+json",
    )
    assert say(gated.slipway, run, "approve", "ada", commit="f" * 40).status_code == 409
    assert say(gated.slipway, run, "approve", "ada", sha256="0" * 64).status_code == 409
    assert say(gated.slipway, run, "approve", "ada", wat=1).status_code == 400
    assert say(gated.slipway, run, "approve", "ada", **seen).status_code == 202
    assert say(gated.slipway, run, "approve", "ada", **seen).status_code == 409
    assert gated.slipway.run(run["id"])["state"] == "waiting"
    assert say(gated.slipway, run, "approve", "bob", note="ship it", **seen).status_code == 202

    ended = gated.ended(commit)
    assert ended["state"] == "succeeded", gated.story(ended)
    assert gated.alias("production") == ended["releases"][0]["version"]
    votes = ended["approval"]["votes"]
    assert [(vote["who"], vote["verdict"], vote["note"]) for vote in votes] == [
        ("ada", "approve", ""),
        ("bob", "approve", "ship it"),
    ]
    assert all(vote["at"] and "127.0.0.1" in vote["origin"] for vote in votes)
    assert say(gated.slipway, run, "approve", "bob").status_code == 409


def test_one_no_ends_it_and_a_newer_candidate_replaces_it(gated):
    """A newer commit takes the older one's place in the queue; a no ends a run as cancelled."""
    older = gated.push(small(index__py="A = 1\n"), branch="master")
    first = waiting(gated, older)
    newer = gated.push(small(index__py="A = 2\n"), branch="master")
    second = waiting(gated, newer)
    replaced = gated.ended(older)
    assert replaced["state"] == "superseded"
    assert second["id"] in replaced["error"]
    assert say(gated.slipway, first, "approve", "ada").status_code == 409

    assert say(gated.slipway, second, "reject", "bob", note="not on Friday").status_code == 202
    ended = gated.ended(newer)
    assert (ended["state"], ended["error"]) == ("cancelled", "rejected by bob: not on Friday")
    assert gated.alias("production") is None
    assert gated.statuses(newer)["slipway/deploy/production"] == "error"


def test_nobody_answers_in_time(gated):
    """After its time limit a waiting run is cancelled, and says so."""
    path = gated.slipway.folder / "server.toml"
    path.write_text(path.read_text().replace('"2h"', '"2s"'))
    gated.slipway.stop()
    gated.slipway.start()
    commit = gated.push(small(), branch="master")
    run = gated.ended(commit)
    assert run["state"] == "cancelled"
    assert "nobody approved it within 2 s" in run["error"]
    assert gated.alias("production") is None


def test_a_run_that_needs_no_approval_takes_none(gated):
    """Where the operator asks for no approval, nobody's word counts."""
    commit = gated.push(small())
    run = gated.ended(commit)
    assert run["state"] == "succeeded"
    assert run["approval"] is None
    assert say(gated.slipway, run, "approve", "ada").status_code == 409
