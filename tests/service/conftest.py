"""A real web process on a real Redis, and deliveries made by hand."""

import http.client
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.redis import EmbeddedRedis
from service.webhooks.signature import sign
from tests.e2e.conftest import OPERATOR, REPOSITORY
from tests.stand_ins.slipway import SECRET, Slipway

OLD_SECRET = "the secret before the rotation"
SONAR_SECRET = "the secret of sonarqube's webhook"
COMMIT = "a" * 40


@pytest.fixture(scope="module")
def web_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Redis of the module's own, which its tests may stop."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def slipway(
    tmp_path_factory: pytest.TempPathFactory, web_redis: EmbeddedRedis
) -> Iterator[Slipway]:
    """The web process alone: nothing works on what it accepts."""
    folder: Path = tmp_path_factory.mktemp("slipway")
    environment = {
        "REDIS_URL": web_redis.url,
        "GITHUB_WEBHOOK_SECRET": f"{SECRET},{OLD_SECRET}",
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "SONAR_WEBHOOK_SECRET": SONAR_SECRET,
    }
    with Slipway(folder, OPERATOR, environment) as processes:
        yield processes.start("web")


class Door:
    """Sends deliveries, right ones unless told otherwise."""

    def __init__(self, port: int) -> None:
        self.port = port

    def send(self, payload=None, event="push", *, body=None, secret=SECRET, headers=(), form=False):
        """POST a delivery; status, JSON answer and content type."""
        body = json.dumps(payload).encode() if body is None else body
        if form:
            from urllib.parse import urlencode

            body = urlencode({"payload": body.decode()}).encode()
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        fields = {
            "Content-Type": kind,
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": sign(secret, body).decode(),
            "Content-Length": str(len(body)),
        } | dict(headers)
        return self.raw([(k, v) for k, v in fields.items() if v is not None], body)

    def raw(self, headers, body=b"", path="/webhooks/github"):
        """POST these headers and this body, as they are."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest("POST", path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(body)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text or b"null"), answer.getheader("Content-Type")


@pytest.fixture
def door(slipway: Slipway, web_redis: EmbeddedRedis) -> Door:
    """The door of a Slipway whose ledger is empty."""
    import redis

    with redis.Redis.from_url(web_redis.url) as client:
        client.flushall()
    return Door(slipway.port)


def repository(name: str = REPOSITORY) -> dict[str, object]:
    """A payload's repository."""
    return {"id": 7, "full_name": name, "clone_url": f"http://127.0.0.1:9/{name}.git"}


def push(**changes: object) -> dict[str, object]:
    """A push to develop."""
    payload: dict[str, object] = {
        "ref": "refs/heads/develop",
        "before": "0" * 40,
        "after": COMMIT,
        "deleted": False,
        "repository": repository(),
        "sender": {"login": "ada", "id": 1},
    }
    return payload | changes


def pull(action: str = "opened", **changes: object) -> dict[str, object]:
    """A pull request into develop, of the same repository."""
    request: dict[str, object] = {
        "head": {"ref": "feature", "sha": "b" * 40, "repo": {"id": 7}},
        "base": {"ref": "develop", "sha": "c" * 40, "repo": {"id": 7}},
        "merged": False,
        "merge_commit_sha": None,
    }
    return {
        "action": action,
        "number": 3,
        "pull_request": request | changes,
        "repository": repository(),
        "sender": {"login": "ada", "id": 1},
    }
