"""A gradual release on its run's page and in its JSON."""

import re

import pytest
from redis import Redis

from tests.dashboard.conftest import Reader
from tests.dashboard.worker import Work
from workers.ledger.model.rollout import Ending, Rollout, Shift
from workers.ledger.model.run import State

START = 1_760_000_000_000
SHIFTS = (
    Shift(function="Loader", before="6", version="7"),
    Shift(function="Fresh", before=None, version="1", gradual=False),
)
BEGUN = Rollout(
    strategy="canary-10-percent-5-minutes",
    alias="production",
    shares=(10,),
    seconds=300,
    shifts=SHIFTS,
)
ENDING = Ending(fate="user", why="the CloudWatch alarm <errors> struck", since=START)


def show(ann: Reader, redis: Redis, rollout: Rollout, *, over: bool = False) -> tuple[str, dict]:
    """The text of the page's panel, and the run's JSON."""
    work = Work(redis)
    unfinished = "yes" if rollout.state == "moving" else ""
    work.lease.write(rollout=rollout.model_dump_json(), unfinished=unfinished)
    if over:
        work.end(State.FAILED, "user", "over")
    found = re.search(
        r'<div id="run-rollout">(.*?)</section>', ann.text(f"/runs/{work.id}"), re.DOTALL
    )
    assert found
    text = " ".join(re.sub("<[^>]*>", "", found[1]).split())
    return text, ann.get(f"/api/v1/runs/{work.id}").json["rollout"]


def test_a_canary_says_its_share_and_its_next_step(ann: Reader, redis: Redis) -> None:
    """Percent, since when, which step of how many, when the next one is due, and what moves."""
    text, json = show(ann, redis, BEGUN.taken(START))
    assert "10 % of the requests go to the new versions since 2025-10-09 08:53:20 UTC" in text
    assert "Step 1 of 2; the next one is due at 2025-10-09 08:58:20 UTC" in text
    assert "Loader version 6" in text
    assert "version 7" in text
    assert re.search(r"Fresh new .* version 1 at once", text)
    assert json == {
        "strategy": "canary-10-percent-5-minutes",
        "alias": "production",
        "state": "moving",
        "step": 1,
        "steps": 2,
        "percent": 10,
        "since": "2025-10-09T08:53:20.000Z",
        "next_at": "2025-10-09T08:58:20.000Z",
        "functions": [
            {"function": "Loader", "before": "6", "version": "7", "gradual": True},
            {"function": "Fresh", "before": None, "version": "1", "gradual": False},
        ],
        "put_back_because": None,
        "left": [],
    }


@pytest.mark.parametrize(
    ("changes", "said", "percent"),
    [
        ({}, "Step 1 of 2 is being taken.", 0),
        ({"ending": ENDING}, "It is being put back. the CloudWatch alarm &lt;errors&gt;", 0),
        ({"state": "undone", "ending": ENDING}, "Put back: production runs what it ran", 0),
        ({"state": "left", "ending": ENDING, "left": ("L: <b>",)}, "Not all of it is put back", 0),
        ({"state": "done", "step": 2, "since": START}, "All requests go to the new versions.", 100),
    ],
)
def test_each_state_of_it_has_its_words(ann: Reader, redis: Redis, changes, said, percent) -> None:
    """Being taken, put back, left over and done are told apart, and nothing is raw HTML."""
    text, json = show(ann, redis, BEGUN.model_copy(update=changes))
    assert said in text
    assert json["percent"] == percent


def test_a_run_that_ended_without_a_word_may_have_left_shares(ann: Reader, redis: Redis) -> None:
    """A record that says it moves, of a run that is over, is shown as left behind."""
    text, json = show(ann, redis, BEGUN.taken(START), over=True)
    assert "Not all of it is put back" in text
    assert (json["state"], json["percent"]) == ("left", 10)


def test_a_run_without_one_shows_none(ann: Reader, redis: Redis) -> None:
    """What moves all at once has no such panel."""
    work = Work(redis)
    assert "Gradual release" not in ann.text(f"/runs/{work.id}")
    assert ann.get(f"/api/v1/runs/{work.id}").json["rollout"] is None
