"""Rollback, lock and unlock over HTTP: every refusal says what to do instead."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from config.server import parse
from service import create_app
from tests.dashboard.conftest import settings
from tests.orders import order
from tests.released import FIRST, SECOND, released
from workers.ledger import Ledger, keys
from workers.ledger.model.order import Order
from workers.ledger.model.run import StageRecord, State

OPERATOR = """
[environments.production]
branch = "master"
operators = ["Ann"]

[environments.sandbox]
branch = "develop"

[[repositories]]
name = "watchlist/*"
functions = ["Movies*"]
bucket = "packages"
"""


def deploys(redis, *names, environment="production", branch="master"):
    """Have repositories deploy from a branch, as GitHub told of them."""
    for name in names:
        wanted = order(
            repository=f"watchlist/{name}",
            repository_id=sum(name.encode()),
            environment=environment,
            ref=f"refs/heads/{branch}",
        )
        Ledger(redis).accept(wanted, "", ("release",), "deploy")


class Person:
    """Somebody with a token."""

    def __init__(self, app, name):
        self.browser = app.test_client()
        self.headers = {"Authorization": f"Bearer token-of-{name}"}

    def post(self, verb, env="production", **body):
        """What POST to an environment is answered: status and JSON."""
        path = f"/api/v1/environments/{env}/{verb}"
        answer = self.browser.post(path, json=body, headers=self.headers)
        if answer.status_code >= 400:
            assert answer.content_type == "application/problem+json"
            assert answer.json["status"] == answer.status_code
        return answer.status_code, answer.json

    def raw(self, verb, body):
        """The status of a POST of these bytes."""
        path = f"/api/v1/environments/production/{verb}"
        return self.browser.post(path, data=body, headers=self.headers).status_code

    def get(self, path):
        """An answer's JSON."""
        return self.browser.get(f"/api/v1{path}", headers=self.headers).json


@pytest.fixture
def app(redis, redis_server):
    """The web application; two commits were released to production."""
    tokens = ",".join(f"{name}:token-of-{name}" for name in ("ann", "bob"))
    released(redis, FIRST)
    released(redis, SECOND)
    return create_app(settings(redis_server.url, api_tokens=tokens), parse(OPERATOR))


@pytest.fixture
def ann(app):
    """An operator of production."""
    return Person(app, "ann")


@pytest.fixture
def bob(app):
    """None of its operators."""
    return Person(app, "bob")


VERBS = {"rollback": {"to": "previous"}, "lock": {"reason": "why"}, "unlock": {}}


@pytest.mark.parametrize(("verb", "body"), VERBS.items(), ids=list(VERBS))
def test_only_operators_may(ann, bob, redis, verb, body):
    """403 names those who may, only the refusal is written; where nobody is named, all may."""
    before = set(redis.keys())
    status, answer = bob.post(verb, **body)
    assert (status, "ask one of: Ann" in answer["detail"]) == (403, True)
    assert bob.raw(verb, b"{") == 403
    assert set(redis.keys()) - before - {keys.SCHEMA} == {keys.AUDIT}
    assert bob.post(verb, "sandbox", **body)[0] != 403


@pytest.mark.parametrize(("verb", "body"), VERBS.items(), ids=list(VERBS))
def test_an_environment_that_is_not_there(ann, verb, body):
    """404 names those that are."""
    status, answer = ann.post(verb, "prod", **body)
    assert (status, "production, sandbox" in answer["detail"]) == (404, True)


@pytest.mark.parametrize(("verb", "body"), VERBS.items(), ids=list(VERBS))
def test_a_cookie_is_not_enough(app, verb, body):
    """A form of another site could send it along: without a bearer token it is 401."""
    browser = app.test_client()
    browser.get("/sign-in")
    assert browser.post(f"/api/v1/environments/production/{verb}", json=body).status_code == 401


BAD = [
    {},
    {"to": ""},
    {"to": "master"},
    {"to": "a" * 6},
    {"to": 7},
    {"to": FIRST, "function": ""},
    {"to": FIRST, "reason": "x" * 501},
    {"to": FIRST, "commit": FIRST},
    {"to": "a" * 301},
]


@pytest.mark.parametrize("body", BAD, ids=[str(body)[:30] for body in BAD])
def test_rollbacks_that_make_no_sense(ann, body):
    """400 names the field."""
    status, answer = ann.post("rollback", **body)
    assert status == 400
    assert answer["detail"].split(":")[0] in ("to", "function", "reason", "commit")


NEVER = [
    ({"to": "c" * 40}, "aaaaaaa"),
    ({"to": FIRST, "function": "MoviesParser"}, "function MoviesParser was never released"),
    ({"to": FIRST, "repository": "watchlist/other"}, "repository watchlist/other was never"),
]


@pytest.mark.parametrize(("body", "said"), NEVER, ids=["commit", "function", "repository"])
def test_what_was_never_released_there(ann, body, said):
    """404 leads to the list of what was."""
    status, answer = ann.post("rollback", **body)
    assert (status, said in answer["detail"]) == (404, True), answer
    assert "/api/v1/environments/production/releases" in answer["detail"]


def test_several_repositories(ann, redis):
    """409 lists them; one that is named and no longer allowed is 403."""
    released(redis, "c" * 40, repository="gone/loader")
    status, answer = ann.post("rollback", to="previous")
    assert (status, "gone/loader, watchlist/movies-loader" in answer["detail"]) == (409, True)
    status, answer = ann.post("rollback", to="c" * 40)
    assert (status, "no longer in the operator's file" in answer["detail"]) == (403, True)


def test_during_a_lock(ann):
    """423 says whose it is and how to open it; nothing is accepted."""
    assert ann.post("lock", reason="Black  Friday")[0] == 200
    status, answer = ann.post("rollback", to=FIRST)
    assert (status, answer["title"]) == (423, "Locked")
    assert "locked by ann, because: Black Friday" in answer["detail"]
    assert "slipway unlock production" in answer["detail"]
    assert ann.get("/runs")["runs"] == []


def test_a_reason_that_holds_a_secret(ann):
    """The web process, too, lets none into the record."""
    status, answer = ann.post("lock", reason="since token-of-bob was seen")
    assert (status, answer["locked"]["reason"]) == (200, "since *** was seen")


def test_a_rollback_whose_workers_are_busy(ann):
    """After three seconds it is 202 all the same, with the run and the hold; again: the same."""
    begun = time.monotonic()
    status, answer = ann.post("rollback", to=FIRST[:8], reason="broken")
    assert (status, 2 < time.monotonic() - begun < 20) == (202, True)
    run = ann.get(f"/runs/{answer['run_id']}")
    assert (run["purpose"], run["commit"], run["state"]) == ("rollback", FIRST, "queued")
    assert run["rollback"] == {"function": None, "reason": "broken"}
    assert [one["function"] for one in answer["releases"]] == ["MoviesLoader"]
    (place,) = (e for e in ann.get("/environments")["environments"] if e["name"] == "production")
    assert place["locked"] == answer["locked"]
    assert (answer["locked"]["kind"], answer["locked"]["run_id"]) == ("rollback", run["id"])
    assert ann.post("rollback", to=FIRST)[1]["run_id"] == run["id"]
    assert ann.get("/runs?purpose=rollback")["runs"][0]["id"] == run["id"]


def test_a_package_that_is_gone(ann, redis):
    """410 as soon as a worker says so, with its reason."""
    ledger = Ledger(redis)

    def work() -> None:
        while not (due := ledger.overdue(0).runs):
            time.sleep(0.02)
        lease = ledger.lease(due[0][0], "w", "n", seconds=30, capacity=1)
        lease.write(gone="yes")
        lease.drop_hold("production")
        why = "version 1 was deleted, and its package is gone"
        lease.finish(State.FAILED, (StageRecord(name="deploy"),), "ours", why)

    worker = threading.Thread(target=work)
    worker.start()
    status, answer = ann.post("rollback", to=FIRST)
    worker.join()
    assert (status, answer["title"]) == (410, "Gone")
    assert answer["detail"].startswith("version 1 was deleted")
    assert ann.post("unlock")[0] == 409


LOCKS = [
    {"reason": ""},
    {"reason": "  "},
    {"reason": "x" * 501},
    {"reason": "x", "expires_in": "soon"},
    {"reason": "x", "expires_in": 7},
    {"reason": "x", "until": "tomorrow"},
    {"reason": "x", "until": "2020-01-01T00:00:00Z"},
    {"reason": "x", "until": "9999-01-01T00:00:00Z"},
    {"reason": "x", "until": "2026-01-01T00:00:00"},
    {"reason": "x", "expires_in": "2h", "until": "2026-01-01T00:00:00Z"},
    {"reason": "x", "forever": True},
]


@pytest.mark.parametrize("body", LOCKS, ids=[str(body)[:50] for body in LOCKS])
def test_locks_that_make_no_sense(ann, body):
    """400, and the environment stays open."""
    status, answer = ann.post("lock", **body)
    assert (status, bool(answer["detail"])) == (400, True)
    assert ann.post("unlock")[0] == 409


def test_a_lock_until_a_time(ann, bob):
    """Everybody sees who locked it, why and until when; a second lock is refused with that."""
    until = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    status, answer = ann.post("lock", reason="freeze", until=until.isoformat())
    assert status == 200
    assert answer["locked"]["expires_at"] == until.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    (place,) = (e for e in bob.get("/environments")["environments"] if e["name"] == "production")
    assert (place["locked"]["by"], place["locked"]["reason"], place["held"]) == (
        "ann",
        "freeze",
        [],
    )
    assert ann.post("lock", reason="freeze")[0] == 200
    status, answer = ann.post("lock", reason="mine")
    assert (status, "locked by ann until" in answer["detail"]) == (409, True)


def test_unlocking(ann):
    """It says what was locked; where nothing is, 409."""
    assert ann.post("unlock")[0] == 409
    ann.post("lock", reason="freeze", expires_in="2h")
    status, answer = ann.post("unlock", reason="done")
    assert (status, answer["was"]["reason"], answer["runs"]) == (200, "freeze", [])
    assert ann.post("unlock", release="yes")[0] == 400
    assert ann.raw("unlock", b"[1]") == 400
    assert ann.raw("lock", b"\xff") == 400


def test_releases_show_no_more_than_they_should(ann):
    """What only a rollback needs is not among them."""
    (first, *_) = ann.get("/environments/production/releases")["releases"]
    assert set(first) == {
        *("function", "version", "alias", "sha256", "commit", "repository", "run", "at"),
        *("run_id", "site", "rollback", "event", "pruned"),
    }
    assert first["run_id"] == first["run"]


def test_a_rollback_has_a_place_of_its_own():
    """It is not taken for the deploy of its commit."""
    fields = {"repository": "a/b", "repository_id": 1, "clone_url": "u", "ref": "refs/heads/m"}
    more = {"commit": FIRST, "environment": "production"}
    deploy = Order.model_validate(fields | more | {"purpose": "deploy"})
    back = Order.model_validate(fields | more | {"purpose": "rollback", "rollback": {}})
    one = back.model_copy(
        update={"rollback": back.rollback.model_copy(update={"function": "Loader"})}
    )
    assert len({deploy.key, back.key, one.key}) == 3


@pytest.mark.parametrize(
    ("names", "count"),
    [((), 1), (("movies-loader",), 1), (("loader",), 2), (("loader", "parser", "store-api"), 4)],
)
def test_the_answer_says_of_how_many_repositories_pushes_are_held(redis, ann, names, count):
    """All that deploy to the environment or did, whichever goes back; no others, and each once.

    What the two commits were released by counts: watchlist/movies-loader.
    """
    deploys(redis, *names)
    released(redis, SECOND, repository="elsewhere/no-longer-allowed")
    deploys(redis, "marketplace", "movies", environment="sandbox", branch="develop")
    deploys(redis, *names[:1])
    status, answer = ann.post("rollback", to=FIRST)
    assert (status, answer["repositories"]) == (202, count)


def test_every_repository_is_held_and_not_only_the_one_that_went_back(redis, ann):
    """What the number says is so: the environment's one lock stands before all of them."""
    deploys(redis, "loader", "parser")
    _, answer = ann.post("rollback", to=FIRST, function="MoviesLoader")
    assert answer["repositories"] == 3
    ledger = Ledger(redis)
    others = [
        run
        for run in ledger.history.deployed()
        if run.order.environment == "production" and run.id != answer["run_id"]
    ]
    assert {run.order.repository for run in others} >= {"watchlist/loader", "watchlist/parser"}
    for run in others:
        lease = ledger.lease(run.id, "w", run.id, seconds=30, capacity=50)
        assert lease.admitted("production", f"{run.order.repository_id}").kind == "rollback"
