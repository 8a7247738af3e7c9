"""POST /webhooks/sonarqube over real HTTP: what each delivery gets."""

import json
import os
import signal
import time

import pytest
import redis as redis_py

from config.server import parse
from service import create_app
from service.webhooks.sonarqube import HEADER, MOST_BYTES, sign
from tests.dashboard.conftest import settings
from tests.e2e.conftest import OPERATOR
from tests.orders import order
from tests.service.conftest import SONAR_SECRET
from workers.ledger import Ledger, keys
from workers.ledger.lease import Lease
from workers.ledger.model.run import StageRecord, StageState, State

PATH = "/webhooks/sonarqube"
PROBLEM = "application/problem+json"
TASK = "AX-task-1"
STAGES = ("checkout", "test", "analyze", "build")
BODY = {
    "serverUrl": "http://sonar.example",
    "taskId": TASK,
    "status": "SUCCESS",
    "analysedAt": "2026-11-25T10:00:00+0000",
    "project": {"key": "films", "name": "Films", "url": "http://sonar.example/dashboard?id=films"},
    "qualityGate": {"name": "Sonar way", "status": "OK", "conditions": []},
    "properties": {},
}


@pytest.fixture
def send(door):
    """Posts a delivery, a right one unless told otherwise: status, JSON, content type."""

    def post(payload=BODY, *, body=None, headers=(), secret=SONAR_SECRET):
        data = json.dumps(payload).encode() if body is None else body
        fields = {
            "Content-Type": "application/json; charset=utf-8",
            "X-SonarQube-Project": "films",
            HEADER: sign(secret, data),
            "Content-Length": str(len(data)),
        } | dict(headers)
        return door.raw([(k, v) for k, v in fields.items() if v is not None], data, PATH)

    return post


@pytest.fixture
def waiting(door, web_redis):
    """A run that waits for the task."""
    with redis_py.Redis.from_url(web_redis.url, decode_responses=True) as client:
        ledger = Ledger(client)
        run_id = ledger.accept(order(), "", STAGES, "build").run_id
        lease = ledger.lease(run_id, "w", "n", seconds=60, capacity=9)
        assert isinstance(lease, Lease)
        lease.awaits(f"sonar:{TASK}")
        records = tuple(StageRecord(name=name) for name in STAGES)
        waits = records[2].model_copy(update={"state": StageState.WAITING})
        stages = (*records[:2], waits, records[3])
        lease.park(State.WAITING, stages, delay=3600, queue="build")
        yield ledger, run_id


def due(ledger, run_id):
    """Whether a run can be taken now."""
    return bool(ledger.redis.zscore(keys.DUE, run_id) <= ledger.now())


def test_a_run_is_woken(send, waiting):
    """202 with the run's id; the run is due."""
    ledger, run_id = waiting
    assert not due(ledger, run_id)
    assert send()[:2] == (202, {"run_id": run_id})
    assert due(ledger, run_id)


@pytest.mark.parametrize(
    "header",
    [None, "", "0" * 64, "sha256=" + sign(SONAR_SECRET, json.dumps(BODY).encode()), "é", "F" * 64],
)
def test_without_a_right_signature_nothing_happens(send, waiting, header):
    """401, and the run goes on waiting."""
    ledger, run_id = waiting
    status, answer, kind = send(headers={HEADER: header})
    assert (status, kind) == (401, PROBLEM)
    assert HEADER in answer["detail"]
    assert send(secret="another")[0] == 401
    assert not due(ledger, run_id)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"taskId": 7}',
        b'{"taskId": ["x"]}',
        b'{"taskId": "\\ud800"}',
        json.dumps({"taskId": "x" * 201}).encode(),
        b"[" * 100_000,
    ],
)
def test_what_can_not_be_read_is_said(send, body):
    """400 with the reason, whatever is in the body."""
    status, answer, kind = send(body=body)
    assert (status, kind) == (400, PROBLEM)
    assert "can't be read" in answer["detail"]


def test_what_is_not_for_us_is_answered_with_the_reason(send, waiting):
    """An unknown task, and a delivery about an issue that somebody has changed, wake nobody."""
    ledger, run_id = waiting
    status, answer, _ = send(BODY | {"taskId": "AX-of-others"})
    assert (status, answer) == (200, {"ignored": "no run waits for this task"})
    status, answer, _ = send({name: value for name, value in BODY.items() if name != "taskId"})
    assert (status, answer) == (200, {"ignored": "the delivery names no taskId"})
    ledger.cancel(run_id, "by ada")
    assert send()[:2] == (200, {"ignored": "the run no longer waits for this task"})


def test_sizes_are_bounded(send, door):
    """413 for what is too large, without reading it; 411 without a length."""
    huge = {"Content-Length": str(MOST_BYTES + 1)}
    assert send(headers=huge)[0] == 413
    assert door.raw([(HEADER, "0" * 64)], path=PATH)[0] == 411
    chunked = {"Transfer-Encoding": "chunked", "Content-Length": None}
    assert send(headers=chunked, body=b"0\r\n\r\n")[0] == 411


def test_a_ledger_that_is_gone_is_said_at_once(send, waiting, web_redis):
    """503 within two seconds, so that SonarQube does not wait."""
    os.kill(web_redis.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        status, answer, _ = send()
        assert status == 503, answer
        assert time.monotonic() - began < 2
    finally:
        os.kill(web_redis.pid, signal.SIGCONT)


def test_without_a_secret_nothing_is_heard(redis_server):
    """401 with the setting's name: nothing that can't be verified is heard."""
    app = create_app(settings(redis_server.url), parse(OPERATOR))
    client = app.test_client()
    answer = client.post(PATH, data=b"{}", headers={HEADER: sign("", b"{}")})
    assert answer.status_code == 401
    assert "SONAR_WEBHOOK_SECRET" in answer.json["detail"]
