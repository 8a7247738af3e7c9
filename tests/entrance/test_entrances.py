"""Both entrances, the loop's and the WSGI application's, answer every delivery alike."""

import json
import re
import uuid
from copy import deepcopy

import pytest

from config.server import parse
from config.settings import load
from service import create_app
from service.webhooks.signature import sign
from tests.e2e.conftest import OPERATOR
from tests.service.conftest import OLD_SECRET, pull, push
from tests.service.samples import whole_pull_request, whole_push
from tests.service.test_payloads import READ_PATHS, SAMPLES, VALUES, spelled
from tests.stand_ins.slipway import SECRET

IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def flask(slipway, web_redis):
    """The WSGI application with the settings of the process, on the same ledger."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in slipway.environment.items():
            patch.setenv(name, value)
        return create_app(load(), parse(OPERATOR)).test_client()


def put(value, path, new):
    """The same payload with something else in one place."""
    changed = deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return changed


def corpus():
    """Name, event, payload: whole ones, odd ones, and each that is read as each wrong type."""
    yield "push", "push", push()
    yield "whole push", "push", whole_push()
    yield "deleted", "push", push(after="0" * 40, deleted=True)
    yield "tag", "push", push(ref="refs/tags/v1")
    yield "other branch", "push", push(ref="refs/heads/other")
    yield "opened", "pull_request", pull()
    yield "whole pull request", "pull_request", whole_pull_request()
    yield "merged", "pull_request", pull("closed", merged=True, merge_commit_sha="d" * 40)
    yield "closed", "pull_request", pull("closed")
    yield "labelled", "pull_request", pull("labeled")
    yield "ping", "ping", {"zen": "x"}
    yield "issues", "issues", {}
    yield "none", "", push()
    for value in (None, [], "text", 1):
        yield f"{value!r}", "push", value
    for event, path in READ_PATHS:
        for value in VALUES:
            yield f"{event} {spelled(path)} {value!r}", event, put(SAMPLES[event], path, value)


CORPUS = list(corpus())


def answer_of(reply):
    """What is compared: the status, the kind, and the body but for what is made up anew."""
    status, body, kind = reply
    return status, IDS.sub("ID", json.dumps(body, sort_keys=True)), kind


class Both:
    """The same delivery, by both ways, each to a ledger that is empty."""

    def __init__(self, door, flask, redis):
        self.door, self.flask, self.redis = door, flask, redis

    def send(self, body, event, headers=()):
        """What each of them answers."""
        fields = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": sign(SECRET, body).decode(),
            "Content-Length": str(len(body)),
        } | dict(headers)
        kept = [(name, value) for name, value in fields.items() if value is not None]
        self.redis.flushall()
        ours = self.door.raw(kept, body)
        self.redis.flushall()
        # Werkzeug's client leaves out a length of 0.
        length = {"CONTENT_LENGTH": str(len(body))}
        other = self.flask.post(
            "/webhooks/github", data=body, headers=kept, environ_overrides=length
        )
        theirs = (other.status_code, other.json, other.content_type)
        return answer_of(ours), answer_of(theirs)


@pytest.fixture
def both(door, flask, web_redis):
    """Sends by both ways."""
    import redis

    with redis.Redis.from_url(web_redis.url) as client:
        yield Both(door, flask, client)


def test_the_whole_corpus_gets_the_same_answers(both):
    """Every payload, good and bad: the same status, body and kind; not all of them are the same."""
    seen = set()
    for name, event, payload in CORPUS:
        ours, theirs = both.send(json.dumps(payload).encode(), event)
        assert ours == theirs, name
        seen.add(ours[0])
    assert seen == {200, 202, 400}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Hub-Signature-256": None}, 401),
        ({"X-Hub-Signature-256": "sha256=00"}, 401),
        ({"X-Hub-Signature-256": sign(OLD_SECRET, b"{}").decode()}, 400),
        ({"X-Hub-Signature-256": "é".encode().decode("latin-1")}, 401),
        ({"X-GitHub-Delivery": None}, 400),
        ({"X-GitHub-Delivery": "x" * 101}, 400),
        ({"Content-Type": "text/plain"}, 400),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 400),
        ({"X_GitHub_Event": "ping", "X-GitHub-Event": None}, 400),
        ({"X-Hub_Signature-256": sign(SECRET, b"{}").decode(), "X-Hub-Signature-256": None}, 401),
    ],
)
def test_odd_heads_get_the_same_answers(both, headers, status):
    """Missing, wrong, too long, and names that WSGI can't tell from others."""
    ours, theirs = both.send(b"{}", "push", headers)
    assert ours[0] == status
    if not any("_" in name for name in headers):
        # Where there is no server before it, an application gets such names as they come.
        assert ours == theirs


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b'{"a": NaN}', b"null"])
def test_odd_bodies_get_the_same_answers(both, body):
    """What is no JSON, or too deep."""
    ours, theirs = both.send(body, "push")
    assert ours == theirs
    assert ours[0] == 400


def test_a_large_delivery_gets_the_same_answer(both):
    """Over the megabyte that the loop reads itself."""
    payload = whole_push() | {"more": "x" * 3_000_000}
    ours, theirs = both.send(json.dumps(payload).encode(), "push")
    assert ours == theirs
    assert ours[0] == 202
