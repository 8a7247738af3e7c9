"""The pages of environments: what an operator needs to see, and to press, at night."""

import json
import re
import time

import pytest

from config.server import parse
from service import create_app
from tests.dashboard.conftest import OPERATOR, Reader, settings
from tests.orders import order
from tests.released import FIRST, SECOND, released
from workers.ledger import Ledger, keys
from workers.ledger.model.errors import HeldError
from workers.ledger.model.observation import CodeStorage, Difference, Observation, Recorded, Seen
from workers.ledger.model.run import StageRecord, StageState, State
from workers.ledger.observations import Observations
from workers.ledger.unpruned import UnprunedBook

PAGE = "/environments/production"


@pytest.fixture
def ledger(redis):
    """The pages' ledger; two commits were released to production."""
    released(redis, FIRST, "MoviesLoader", "MoviesParser")
    released(redis, SECOND, "MoviesLoader")
    return Ledger(redis)


def held(ledger):
    """A run that waits for production to be unlocked; its id."""
    wanted = order(environment="production", repository="watchlist/movies-loader", commit="c" * 40)
    run_id = ledger.accept(wanted, "", ("release",), "deploy").run_id
    lease = ledger.lease(run_id, "w", "n", seconds=30, capacity=9)
    why = "Held: production is locked by ann, because: <b>freeze</b>"
    records = (StageRecord(name="release", state=StageState.WAITING, started_at=1, summary=why),)
    lease.hold_back(HeldError(why, "production", "7"), records)
    return run_id


def test_the_list(ann, ledger):
    """Each environment with its state, what it runs and how much is held back."""
    ledger.locks.lock("production", "ann", "freeze")
    held(ledger)
    text = ann.text("/environments")
    assert re.search(r"Locked.*?production.*?bbbbbbb.*?>1</td>", text, re.DOTALL)
    assert re.search(r"Open.*?sandbox.*?nothing yet", text, re.DOTALL)
    assert 'href="/environments"' in ann.text("/runs")


def test_an_open_environment(ann, ledger):
    """Its releases, and forms to lock it and to go back to what is not live now."""
    text = ann.text(PAGE)
    assert "MoviesLoader</bdi> 1, <bdi>MoviesParser</bdi> 2" in text
    assert re.findall(r'<option value="([0-9a-f]{40})"', text) == [FIRST]
    assert "Roll back and hold" in text
    assert "/lock" in text
    assert "/unlock" not in text


def test_a_version_that_commits_share(ann, redis, ledger):
    """The history says for which commits it stands, where there are several."""
    assert "stands for commits" not in ann.text(PAGE)
    released(redis, "c" * 40, "MoviesLoader", commits=[SECOND, "c" * 40])
    text = ann.text(PAGE)
    assert "Version 1 of <bdi>MoviesLoader</bdi> stands for commits" in text
    assert text.index(f'{SECOND}">bbbbbbb</code>, ') < text.index("ccccccc</code>.")


def test_what_aws_does_not_allow(ann, redis, ledger):
    """Old versions that stay are on both pages, code storage that may not be read on its own."""
    assert "Old versions stay" not in ann.text(PAGE)
    assert "old versions stay" not in ann.text("/environments")
    UnprunedBook(redis).note("production", "MoviesLoader", "<no> lambda:DeleteFunction")
    fault = "the operator's turn: lambda:GetAccountSettings"
    Observations(redis).write(Observation(environment="production", at=1, storage_fault=fault))
    text = ann.text(PAGE)
    assert "Old versions stay" in text
    assert "MoviesLoader: &lt;no&gt; lambda:DeleteFunction" in text
    assert "lambda:GetAccountSettings" in text
    assert ann.text("/environments").count("old versions stay") == 1


def test_drift_that_could_not_be_put_back(ann, redis, ledger):
    """The page says why, beside what differs."""
    record = Recorded(version="1", commit=FIRST, sha256="q+w=", run="r")
    seen = Seen(
        function="MoviesLoader",
        repository="watchlist/movies-loader",
        record=record,
        differs=(Difference(kind="moved", text="moved by hand"),),
    )
    for at, why in ((1, None), (2, "<no> lambda:UpdateAlias")):
        one = seen.model_copy(update={"unrepaired": why})
        Observations(redis).write(Observation(environment="production", at=at, functions=(one,)))
        assert ("Not put back: &lt;no&gt; lambda:UpdateAlias" in ann.text(PAGE)) is bool(why)


def test_locking_and_unlocking(ann, ledger):
    """The lock is shown with its reason as text; unlocking lets the held run go."""
    answer = ann.post(f"{PAGE}/lock", PAGE, reason="<b>freeze</b>", expires_in="4h")
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    lock = ledger.locks.of("production")
    assert (lock.by, lock.expires_at - lock.at) == ("ann", 4 * 3_600_000)
    run_id = held(ledger)
    text = ann.text(PAGE)
    assert "&lt;b&gt;freeze&lt;/b&gt;" in text
    assert f"/runs/{run_id}" in text
    assert "Roll back and hold" not in text
    seen = re.search(r'name="seen" value="(\d+)"', text)[1]
    assert ann.post(f"{PAGE}/unlock", PAGE, seen="1").status_code == 409
    assert ann.post(f"{PAGE}/unlock", PAGE, seen=seen, reason="done").status_code == 303
    assert run_id in dict(ledger.overdue(0).runs)


def test_unlocking_without_release(ann, ledger):
    """With the box ticked, what was held ends."""
    ledger.locks.lock("production", "ann", "freeze")
    run_id = held(ledger)
    seen = str(ledger.locks.of("production").at)
    ann.post(f"{PAGE}/unlock", PAGE, seen=seen, end="on", reason="wrong")
    assert ledger.history.run(run_id).state is State.CANCELLED


def test_rolling_back(ann, ledger):
    """It leads to the rollback's run, whose page says what it is; the environment is held."""
    begun = time.monotonic()
    answer = ann.post(f"{PAGE}/rollback", PAGE, to=FIRST, function="", reason="broken")
    assert answer.status_code == 303
    assert time.monotonic() - begun > 1, "nobody has looked for the package"
    text = ann.text(answer.headers["Location"])
    assert "Rollback in production to aaaaaaa" in text
    text = ann.text(PAGE)
    assert "Rolled back to" in text
    assert "Pushes of all repositories are built, and wait." in text
    assert "broken" in text
    assert "Roll back and hold" in text


@pytest.mark.parametrize(
    ("verb", "fields", "status"),
    [
        ("rollback", {"to": "c" * 40}, 404),
        ("rollback", {"to": "master"}, 400),
        ("rollback", {}, 400),
        ("lock", {"reason": "x", "expires_in": "soon"}, 400),
        ("unlock", {}, 409),
    ],
)
def test_what_can_not_be(ann, ledger, verb, fields, status):
    """The page says why, and nothing changes."""
    answer = ann.post(f"{PAGE}/{verb}", PAGE, **fields)
    assert answer.status_code == status
    assert ledger.locks.of("production") is None
    assert ledger.overdue(0).runs == []


@pytest.mark.parametrize("verb", ["rollback", "lock", "unlock"])
def test_forms_of_other_sites_are_refused(ann, stranger, ledger, verb):
    """Without the page's token, or without a session, nothing happens."""
    path = f"{PAGE}/{verb}"
    fields = {"to": FIRST, "reason": "x"}
    assert ann.post(path, PAGE, csrf_token="", **fields).status_code == 403
    assert stranger.post(path, "/sign-in", **fields).headers["Location"].startswith("/sign-in")
    assert ledger.locks.of("production") is None


def test_who_is_no_operator_sees_no_buttons(redis, redis_server, ledger):
    """But is told who is, and a form sent all the same is refused."""
    rules = OPERATOR.replace('"master"', '"master"\noperators = ["bob"]')
    reader = Reader(create_app(settings(redis_server.url), parse(rules)))
    reader.sign_in()
    text = reader.text(PAGE)
    assert "ask one of: bob" in text
    assert "<form" not in text.partition("<main")[2]
    assert reader.post(f"{PAGE}/lock", "/runs", reason="x").status_code == 403


def test_an_environment_that_is_not_there(ann):
    """404, whatever its name."""
    assert ann.get("/environments/nowhere").status_code == 404
    assert ann.post("/environments/nowhere/lock", "/runs", reason="x").status_code == 404


def test_a_held_run_says_so(ann, ledger):
    """On its page, with the way to the lock, and in the list; the reason is text."""
    ledger.locks.lock("production", "ann", "<b>freeze</b>")
    run_id = held(ledger)
    text = ann.text(f"/runs/{run_id}")
    assert "Held back" in text
    assert "&lt;b&gt;freeze" in text
    assert f'href="{PAGE}"' in text
    assert re.search(r"tone-waiting\">.*?Held</span>", ann.text("/runs"), re.DOTALL)


def test_what_somebody_changed_by_hand(ann, ledger):
    """Drift and code storage that fills are on both pages; a repair is in the history."""
    record = Recorded(version="1", commit=SECOND, sha256="x", run="r")
    text = "MoviesLoader:production was moved by hand: <b>it</b>"
    seen = Seen(
        function="MoviesLoader",
        repository="watchlist/movies-loader",
        record=record,
        differs=(Difference(kind="moved", text=text),),
    )
    storage = CodeStorage(used=70_000_000_000, limit=80_000_000_000)
    found = Observation(environment="production", at=1, functions=(seen,), storage=storage)
    observations = Observations(ledger.redis)
    assert "Drift" not in ann.text(PAGE)
    observations.write(found)
    for page in (PAGE, "/environments"):
        shown = ann.text(page)
        assert ">Drift<" in shown.replace("\n", "")
        assert "70.0 of 80 GB" in shown
    assert "&lt;b&gt;it&lt;/b&gt;" in ann.text(PAGE)
    latest = ledger.history.released("production", 0, 1)[0]
    place = "123456789012/eu-west-3/MoviesLoader/production"
    ledger.redis.hset(keys.LIVE, place, json.dumps(latest.row()))
    what = {
        name: latest.row()[name] for name in ("function", "version", "commit", "repository", "run")
    }
    assert observations.repaired(place, "production", what)
    shown = ann.text(PAGE)
    assert shown.count("put back after a change by hand") == 1
    assert re.findall(r'<option value="([0-9a-f]{40})"', shown) == [FIRST]
