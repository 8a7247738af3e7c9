"""The OpenAPI document: valid, whole, and true of what the running service answers."""

import json
import re
import uuid

import pytest
import requests
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from service.webhooks.signature import sign
from tests.dashboard.worker import Work
from tests.schemas import closed
from tests.service.conftest import push
from tests.service.test_events import BEARER, book
from tests.stand_ins.slipway import SECRET, Slipway
from workers.ledger.codec import checks_text, untidy_text
from workers.ledger.model.errors import PeopleError
from workers.ledger.model.rollout import Ending, Rollout, Shift
from workers.ledger.model.run import CheckRecord, Release, Report, StageState, State, Untidy
from workers.ledger.model.run import Tests as Tally
from workers.ledger.owners import Owners, Refused

__all__ = ["book"]
UNKNOWN = "00000000-0000-4000-8000-000000000000"


OPERATOR = """
[environments.sandbox]
branch = "develop"
[environments.production]
branch = "master"
approval = { required = 2, timeout = "2h" }
[[repositories]]
name = "watchlist/*"
functions = ["Movies*"]
bucket = "packages"
"""


@pytest.fixture(scope="module")
def slipway(tmp_path_factory, web_redis):
    """The web process, of an operator who asks for approval."""
    environment = {
        "REDIS_URL": web_redis.url,
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "GITHUB_API_URL": "http://127.0.0.1:9",
    }
    with Slipway(tmp_path_factory.mktemp("slipway"), OPERATOR, environment) as processes:
        yield processes.start("web")


@pytest.fixture(scope="module")
def spec(slipway):
    """The document as the service gives it, to anybody."""
    answer = requests.get(f"{slipway.url}/openapi.json", timeout=5)
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


class Visitor:
    """Asks the service, and compares each answer with what the document says of it."""

    def __init__(self, slipway, spec):
        self.url = slipway.url
        self.spec = spec
        self.schemas = {"components": closed(spec["components"])}
        self.seen = set()

    def operation(self, method, path):
        """The operation that a path belongs to, and its name."""
        for template, operations in self.spec["paths"].items():
            pattern = re.sub(r"\\\{path\\\}", ".+", re.escape(template))
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern)
            if re.fullmatch(pattern, path) and method.lower() in operations:
                return f"{method} {template}", operations[method.lower()]
        raise AssertionError(f"{method} {path} is not documented")

    def ask(self, method, path, status=None, headers=BEARER, **options):
        """Send a request; the answer has a documented status, media type and shape."""
        name, operation = self.operation(method, path)
        answer = requests.request(
            method, self.url + path, headers=headers, timeout=10, stream=True, **options
        )
        said = f"{name} {answer.status_code}"
        if status is not None:
            assert answer.status_code == status, answer.text
        assert str(answer.status_code) in operation["responses"], f"{said} is not documented"
        documented = operation["responses"][str(answer.status_code)]
        if "$ref" in documented:
            documented = self.spec["components"]["responses"][documented["$ref"].split("/")[-1]]
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        content = documented.get("content", {})
        if content or answer.content:
            assert kind in content or "*/*" in content, f"{said}: {kind} is not documented"
        if kind.endswith("json"):
            self.check(said, answer.json(), content[kind]["schema"])
        self.seen.add(f"{name} {answer.status_code}")
        return answer

    def check(self, said, data, schema):
        """Whether data has a shape; no field is missing, none is undocumented."""
        validator = Draft202012Validator(
            {**closed(schema), **self.schemas}, format_checker=FormatChecker()
        )
        faults = [
            f"{said}: {error.json_path}: {error.message}" for error in validator.iter_errors(data)
        ]
        assert faults == []


@pytest.fixture
def visitor(slipway, spec, book):
    """Somebody who compares; the ledger is empty."""
    return Visitor(slipway, spec)


def test_the_document_is_valid(spec):
    """It keeps the rules of OpenAPI 3.1, and its schemas those of JSON Schema."""
    assert spec["openapi"].startswith("3.1.")
    assert list(map(str, OpenAPIV31SpecValidator(spec).iter_errors())) == []
    for schema in spec["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_is_described(spec):
    """Each has a summary, an answer, an id of its own, and says who may ask."""
    operations = [one for path in spec["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations) > 15
    for path, methods in spec["paths"].items():
        for method, one in methods.items():
            assert one["summary"], path
            assert any(status.startswith("2") for status in one["responses"]), path
            if path.startswith("/api/"):
                assert {"401", "503"} <= set(one["responses"]), path
                if method == "post":
                    assert one.get("security", spec["security"]) == [{"bearer": []}], path


def everything(book):
    """A run that has something of all that a run can have."""
    work = Work(book, pull=7)
    work.stage("checkout", StageState.SUCCEEDED, started_at=1, finished_at=2, summary="done")
    work.stage("test", StageState.FAILED, started_at=3, finished_at=4, error="no")
    report = Report(index="index.html", files=1, size=9, archive="s3://b/c/")
    records = (
        CheckRecord(name="unit", exit_code=1, seconds=1.5, tests=Tally(failed=1, failing=("a",))),
        CheckRecord(name="coverage", exit_code=0, seconds=2, report=report, note="cut"),
    )
    shared = (work.order.commit, "d" * 40)
    release = Release(
        function="Loader", version="7", alias="sandbox", sha256="q+w=", commits=shared
    )
    work.lease.releases([release])
    left = untidy_text((Untidy(what="s3://site/sandbox/", why="not allowed"),))
    rollout = Rollout(
        strategy="canary-10-percent-5-minutes",
        alias="sandbox",
        since=5,
        shares=(10,),
        seconds=300,
        shifts=(Shift(function="Loader", before="6", version="7"),),
        ending=Ending(fate="ours", why="an alarm", since=6),
    )
    work.lease.write(untidy=left, checks=checks_text(records), rollout=rollout.model_dump_json())
    work.ledger.reports.put(work.id, "coverage", [("index.html", b"<p>92 %")], 60)
    row = release.model_dump() | {"commit": work.order.commit, "run": work.id}
    row |= {"repository": work.order.repository, "source": work.order.source.model_dump()}
    back = {"by": "ann", "from": "c" * 40, "function": None, "reason": "why"}
    older = row | {"commit": "d" * 40, "rollback": back}
    work.lease.live("sandbox", [("Loader:sandbox", older)])
    work.lease.live("sandbox", [("Loader:sandbox", row)])
    work.say("hello\n").end(State.FAILED, "user", "no")
    return work


def test_answers_are_as_described(visitor, book):
    """Every kind of success has the documented fields, and no other."""
    work, other = everything(book), Work(book)
    run = f"/api/v1/runs/{work.id}"
    visitor.ask("GET", "/api/v1/runs", 200)
    shown = visitor.ask("GET", run, 200).json()
    assert shown["checks"]
    assert shown["reports"]
    assert shown["releases"]
    assert shown["rollout"]
    visitor.ask("GET", f"{run}/log", 200)
    events = visitor.ask("GET", f"{run}/events", 200).text
    last = re.findall(r"^id: (.*)$", events, re.MULTILINE)[-1]
    visitor.ask("GET", f"{run}/events", 204, headers=BEARER | {"Last-Event-ID": last})
    visitor.ask("GET", f"{run}/reports/coverage/index.html", 200)
    visitor.ask("GET", f"/api/v1/tasks/{other.id}", 200)
    visitor.ask("POST", f"/api/v1/runs/{other.id}/cancel", 202)
    visitor.ask("POST", f"{run}/retry", 202)
    visitor.ask("GET", "/api/v1/environments", 200)
    rows = visitor.ask("GET", "/api/v1/environments/sandbox/releases", 200).json()
    assert {row["run_id"] for row in rows["releases"]} == {work.id}
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        visitor.ask("GET", path, 200, headers={})


def test_bounds_of_a_query_are_as_described(visitor, spec):
    """The first offset that the document excludes is refused, the one before it is not."""
    path = "/api/v1/environments/{name}/releases"
    (offset,) = [p for p in spec["paths"][path]["get"]["parameters"] if p["name"] == "offset"]
    bound = offset["schema"]["exclusiveMaximum"]
    url = path.format(name="sandbox")
    visitor.ask("GET", url, 400, params={"offset": bound})
    visitor.ask("GET", url, 200, params={"offset": bound - 1})


def test_approvals_are_as_described(visitor, book):
    """What waits for people, a word that counts, and one that does not."""
    work = Work(book, ref="refs/heads/master", environment="production")
    work.lease.write(packages='{"Movies": {"sha256": "q+w=", "size": 1}}')
    work.stage("approve", StageState.WAITING)
    work.lease.wait(PeopleError(7200, "7:production"), work.records)
    run = f"/api/v1/runs/{work.id}"
    visitor.ask("POST", f"{run}/approve", 202, data=b'{"note": "seen"}')
    shown = visitor.ask("GET", run, 200).json()
    assert [vote["note"] for vote in shown["approval"]["votes"]] == ["seen"]
    visitor.ask("POST", f"{run}/reject", 409)
    visitor.ask("POST", f"{run}/reject", 400, data=b'{"note": 7}')


def test_rollbacks_and_locks_are_as_described(visitor, book):
    """An environment is rolled back, locked and unlocked; each refusal is a documented problem."""
    everything(book)
    place = "/api/v1/environments/sandbox"
    visitor.ask("POST", f"{place}/unlock", 409)
    visitor.ask("POST", f"{place}/lock", 400, data=b'{"reason": ""}')
    visitor.ask("POST", f"{place}/lock", 200, data=b'{"reason": "freeze", "expires_in": "2h"}')
    visitor.ask("POST", f"{place}/lock", 409, data=b'{"reason": "another"}')
    visitor.ask("POST", f"{place}/rollback", 423, data=b'{"to": "ddddddd"}')
    visitor.ask("GET", "/api/v1/environments", 200)
    visitor.ask("POST", f"{place}/unlock", 200)
    visitor.ask("POST", f"{place}/rollback", 404, data=b'{"to": "eeeeeee"}')
    answer = visitor.ask("POST", f"{place}/rollback", 202, data=b'{"to": "ddddddd"}').json()
    assert answer["commit"] == "d" * 40
    assert visitor.ask("GET", f"/api/v1/runs/{answer['run_id']}", 200).json()["rollback"]


def test_take_overs_are_as_described(visitor, book):
    """What was refused is moved; names that are none, or that nobody knows, are problems."""
    everything(book)
    path = "/api/v1/releases/take-over"
    refused = Refused(
        repository_id=2,
        repository="watchlist/copy",
        environment="sandbox",
        words="A:sandbox",
        run="r",
    )
    Owners(book).refuse("1/eu-west-3/A/sandbox", refused)
    asked = b'{"repository": "watchlist/copy"}'
    visitor.ask("POST", path, 200, data=asked)
    visitor.ask("POST", path, 200, data=asked)
    visitor.ask("POST", path, 404, data=b'{"repository": "nobody/nothing"}')
    visitor.ask("POST", path, 400, data=b'{"repository": "copy"}')


def test_events_carry_what_is_described(visitor, book):
    """The data of `run` and `stage` are a run without its stages, and one of these."""
    work = everything(book)
    text = visitor.ask("GET", f"/api/v1/runs/{work.id}/events").text
    found = re.findall(r"^event: (\w+)\nid: .*\ndata: (.*)$", text, re.MULTILINE)
    assert {kind for kind, _ in found} == {"run", "stage", "log", "end"}
    for kind, data in found:
        if kind == "run":
            run = json.loads(data) | {"stages": []}
            visitor.check(kind, run, {"$ref": "#/components/schemas/WholeRun"})
        if kind == "stage":
            visitor.check(kind, json.loads(data), {"$ref": "#/components/schemas/Stage"})


def test_deliveries_are_answered_as_described(visitor):
    """A delivery that makes a run, the same again, and one that nobody signed."""
    body = json.dumps(push()).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": sign(SECRET, body).decode(),
    }
    visitor.ask("POST", "/webhooks/github", 202, headers=headers, data=body)
    visitor.ask("POST", "/webhooks/github", 200, headers=headers, data=body)
    ping = headers | {"X-GitHub-Event": "ping"}
    visitor.ask("POST", "/webhooks/github", 200, headers=ping, data=body)
    visitor.ask("POST", "/webhooks/github", 401, headers={}, data=body)


def test_whatever_is_asked_is_answered_as_described(visitor, spec, book):
    """Every operation, known run or not, with a token or without: a documented problem at worst."""
    work = everything(book)
    names = {"run_id": work.id, "task_id": work.id, "name": "sandbox", "check": "coverage"}
    names["path"] = "index.html"
    for template, methods in spec["paths"].items():
        for method in (method.upper() for method in methods):
            for known in (names, dict.fromkeys(names, UNKNOWN)):
                visitor.ask(method, template.format(**known))
                visitor.ask(method, template.format(**known), headers={})
            if method == "POST":
                visitor.ask(method, template.format(**names), data=b"{", headers=BEARER)
    asked = {name.rpartition(" ")[0] for name in visitor.seen}
    assert asked == {f"{m.upper()} {path}" for path, ms in spec["paths"].items() for m in ms}
