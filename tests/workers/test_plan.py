"""An environment over HTTP and on the command line: live, next, drift, as fresh as wanted."""

import json
import threading
import time

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from werkzeug.serving import make_server

from config.settings import settings as process_settings
from service import create_app
from service.cli import main
from tests.stand_ins.github import TOKEN as GITHUB_TOKEN
from tests.stand_ins.github import GitHub
from tests.workers.conftest import FUNCTION, OPERATOR, REPOSITORY
from workers.drift import watch
from workers.ledger import keys, messages
from workers.ledger.model.observation import Difference
from workers.ledger.model.run import Release
from workers.ledger.observations import Observations
from workers.ledger.unpruned import UnprunedBook

TOKEN = "anns-own-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PLACE = "/api/v1/environments/sandbox"


@pytest.fixture
def hub(tmp_path, yard):
    """GitHub with the repository at its first commit, which the sandbox runs."""
    with GitHub(tmp_path / "github") as hub:
        hub.create_repository(REPOSITORY, default_branch="develop")
        first = hub.commit(REPOSITORY, "develop", {"a": "one"}, "A change")
        known = hub.push_payload(REPOSITORY, "develop")["repository"]
        yard.facts = {"clone_url": known["clone_url"], "repository_id": known["id"]}
        tokens = {"api_tokens": f"ann:{TOKEN}", "github_token": GITHUB_TOKEN}
        yard.shop = yard.make(OPERATOR, github_api_url=hub.api_url, **tokens)
        yard.release(commit=first)
        yield hub


@pytest.fixture
def app(yard, hub):
    """The web process's application."""
    return create_app(yard.shop.settings, yard.shop.operator)


@pytest.fixture
def get(app):
    """Ask the API as somebody with a token; status and JSON."""

    def ask(path, **query):
        answer = app.test_client().get(path, headers=BEARER, query_string=query)
        return answer.status_code, answer.json

    return ask


@pytest.fixture
def worker(yard):
    """Answers the bells of looks, as a worker's task does."""
    ended = threading.Event()

    def listen():
        while not ended.is_set():
            found = yard.ledger.redis.brpop([messages.key(messages.REPORTS_ON)], timeout=0.1)
            if found and '"workers.look"' in found[1]:
                watch.answer(yard.shop, "sandbox")

    thread = threading.Thread(target=listen)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_a_fresh_look_is_asked_for_and_answered(yard, hub, get, worker, app):
    """With a worker at hand the answer is what AWS and GitHub have at this moment."""
    status, found = get(PLACE, refresh=1)
    assert status == 200
    assert not found["refreshing"]
    assert found["age_seconds"] < 60
    (one,) = found["functions"]
    assert one["observed"]
    assert one["live"]["version"] == one["record"]["version"]
    assert one["live"]["sha256"] == one["record"]["sha256"]
    assert one["record"]["run_url"].endswith(one["record"]["run_id"])
    assert one["record"]["since"]
    assert (one["differs"], one["next"]["text"]) == ([], "nothing new")
    assert found["code_storage"]["percent"] == 1.3
    assert (found["drift"], found["keep_versions"], found["locked"]) == ("report", 2, None)

    newer = hub.commit(REPOSITORY, "develop", {"a": "two"}, "Another change")
    yard.point("sandbox", yard.publish("by hand").version)
    _, found = get(PLACE, refresh=1)
    (one,) = found["functions"]
    assert one["next"] == {
        "commit": newer,
        "run_id": None,
        "state": None,
        "text": f"would deploy {newer[:7]}",
    }
    assert [difference["kind"] for difference in one["differs"]] == ["moved"]
    (branch,) = found["branches_at"]
    assert (branch["repository"], branch["commit"]) == (REPOSITORY, newer)

    spec = app.test_client().get("/openapi.json").json
    schema = spec["components"]["schemas"]["Plan"] | {"components": spec["components"]}
    Draft202012Validator(schema).validate(found)


def test_the_heads_run_is_named(yard, hub, get, worker):
    """What is under way, what failed, and a push that came after the look."""
    newer = hub.commit(REPOSITORY, "develop", {"a": "two"}, "Another change")
    run_id, lease = yard.take("sandbox", newer)
    _, found = get(PLACE, refresh=1)
    coming = found["functions"][0]["next"]
    assert (coming["run_id"], coming["state"]) == (run_id, "running")
    assert coming["text"] == f"deploys {newer[:7]} now: run {run_id} is running"
    lease.finish("failed", ())
    _, found = get(PLACE)
    assert found["functions"][0]["next"]["text"].startswith(f"{newer[:7]} did not go live")

    newest, _ = yard.take("sandbox", "e" * 40)
    _, found = get(PLACE)
    assert found["functions"][0]["next"]["run_id"] == newest
    assert found["branches_at"][0]["commit"] == "e" * 40


def test_a_release_after_the_look_is_shown_as_not_looked_at(yard, hub, get):
    """The record is always the newest; what was seen before it says nothing about it."""
    watch.watch(yard.shop, pause=0)
    version = yard.release(commit="f" * 40)
    _, found = get(PLACE)
    (one,) = found["functions"]
    assert one["record"]["version"] == version
    assert (one["observed"], one["live"], one["differs"]) == (False, None, [])


def test_without_a_worker_the_last_look_is_given_with_its_age(yard, hub, get):
    """Nobody answers: what is known is better than nothing, and says that it is old."""
    status, body = get(PLACE, refresh=1)
    assert status == 503
    assert "ask again" in body["detail"]
    watch.watch(yard.shop, pause=0)
    time.sleep(0.01)
    yard.ledger.redis.delete(f"{keys.LOOK}sandbox")
    status, found = get(PLACE, refresh=1)
    assert status == 200
    assert found["refreshing"]
    assert found["age_seconds"] > 2


def test_before_the_first_look_the_record_is_shown(yard, hub, get):
    """What Slipway made live is known without AWS."""
    status, found = get(PLACE)
    assert status == 200
    assert (found["observed_at"], found["age_seconds"], found["branches_at"]) == (None, None, [])
    assert found["functions"][0]["record"]["version"]
    assert not found["functions"][0]["observed"]


def test_bad_questions_get_an_answer(get, app):
    """An unknown environment, a wrong query, no token."""
    assert get("/api/v1/environments/moon")[0] == 404
    assert get("/api/v1/environments/moon", refresh=1)[0] == 404
    assert get(PLACE, refresh="yes")[0] == 400
    assert get(PLACE, fresh=1)[0] == 400
    assert app.test_client().get(PLACE).status_code == 401


def test_metrics_tell_drift_and_code_storage(yard, hub, app):
    """By environment; none that was never looked at."""
    yard.point("sandbox", yard.publish("by hand").version)
    yard.strict.code_storage = (90, 100)
    watch.watch(yard.shop, pause=0)
    text = app.test_client().get("/metrics").text
    assert 'slipway_drift_functions{environment="sandbox"} 1.0' in text
    assert 'slipway_drift_functions{environment="production"} 0.0' in text
    assert 'slipway_code_storage_used_bytes{environment="sandbox"} 90.0' in text
    assert 'slipway_code_storage_limit_bytes{environment="sandbox"} 100.0' in text
    assert 'slipway_observed_age_seconds{environment="sandbox"}' in text
    yard.ledger.redis.delete(keys.OBSERVED)
    assert 'environment="sandbox"' not in app.test_client().get("/metrics").text


@pytest.fixture
def command(app, monkeypatch):
    """Runs `slipway` against a web server; exit code and output."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    variables = {
        "SLIPWAY_URL": f"http://127.0.0.1:{server.server_port}",
        "SLIPWAY_TOKEN": TOKEN,
    }

    def run(*words):
        process_settings.cache_clear()
        result = CliRunner(env=variables).invoke(main, words)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result.exit_code, result.output

    yield run
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_plan_names_all_commits_of_a_version(yard, hub, command, worker):
    """A merge of an unchanged tree: the version that is live stands for the first commit, too."""
    first = hub.head(REPOSITORY, "develop")
    code, text = command("plan", "sandbox")
    assert (code, f"commit {first[:7]}, since" in text) == (0, True)
    merge = hub.commit(REPOSITORY, "develop", {"a": "one"}, "The same tree")
    _, lease = yard.take("sandbox", merge)
    (row,) = yard.ledger.history.released("sandbox", 0, 1)
    made = Release(
        function=FUNCTION,
        version=row.version,
        alias="sandbox",
        sha256=row.sha256,
        commits=(first, merge),
    )
    yard.went_live(lease, made, merge, "sandbox")
    code, text = command("plan", "sandbox")
    assert f"version 1, commit {merge[:7]} (the same version as {first[:7]}), since" in text
    _, text = command("plan", "sandbox", "--json")
    (one,) = json.loads(text[text.index("{") :])["functions"]
    assert one["record"]["commits"] == [first, merge]


def test_the_plan_says_why_nothing_was_put_back(yard, hub, get, command):
    """Drift that the operator wants repaired and AWS does not let Slipway repair."""
    watch.watch(yard.shop, pause=0)
    observations = Observations(yard.ledger.redis)
    found = observations.latest("sandbox")
    (seen,) = found.functions
    moved = Difference(kind="moved", text="moved by hand")
    seen = seen.model_copy(update={"differs": (moved,), "unrepaired": "no lambda:UpdateAlias"})
    observations.write(found.model_copy(update={"at": found.at + 1, "functions": (seen,)}))
    (one,) = get(PLACE)[1]["functions"]
    assert one["not_repaired"] == "no lambda:UpdateAlias"


def test_the_plan_says_what_aws_does_not_allow(yard, hub, get, command, worker):
    """Code storage that may not be read, versions that may not be deleted: who looks sees it."""
    _, found = get(PLACE, refresh=1)
    assert (found["code_storage_fault"], found["unpruned"]) == (None, [])
    yard.strict.fail_next("GetAccountSettings", times=2, status=403, code="AccessDeniedException")
    UnprunedBook(yard.ledger.redis).note("sandbox", FUNCTION, "needs lambda:DeleteFunction")
    _, found = get(PLACE, refresh=1)
    assert yard.strict.struck["GetAccountSettings"] > 0
    assert "needs lambda:GetAccountSettings" in found["code_storage_fault"]
    (one,) = found["unpruned"]
    assert (one["function"], one["why"]) == (FUNCTION, "needs lambda:DeleteFunction")
    assert one["at"].endswith("Z")
    _, text = command("plan", "sandbox")
    assert "code storage: not known (reading the account's settings: the operator's turn" in text
    assert f"old versions of {FUNCTION} stay: needs lambda:DeleteFunction" in text


def test_the_plan_on_the_command_line(yard, hub, command, worker):
    """Live, next and drift, a line each; the exit code tells drift to those who ask for it."""
    code, text = command("plan", "sandbox", "--exit-code")
    assert code == 0
    assert text.startswith("sandbox: develop → alias sandbox\n")
    assert f"{FUNCTION}\n  live  version 1, commit " in text
    assert "  next  nothing new\n" in text
    assert "code storage: 1.07 of 81 GB, 1.3 %" in text

    newer = hub.commit(REPOSITORY, "develop", {"a": "two"}, "Another change")
    yard.point("sandbox", yard.publish("by hand").version)
    code, text = command("plan", "sandbox")
    assert code == 0
    assert f"  next  would deploy {newer[:7]}\n" in text
    assert f"  DRIFT {FUNCTION}:sandbox was moved by hand: it runs version 2" in text
    code, text = command("plan", "sandbox", "--exit-code", "--json")
    assert code == 1
    assert json.loads(text)["functions"][0]["differs"]


def test_a_plan_of_an_unknown_environment(command):
    """The error says what there is not."""
    code, text = command("plan", "moon")
    assert code == 1
    assert "There is no environment moon; there are: sandbox" in text
