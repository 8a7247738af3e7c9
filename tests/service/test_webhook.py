"""POST /webhooks/github over real HTTP: what each delivery gets."""

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

import pytest

from service.webhooks.signature import sign
from tests.service.conftest import COMMIT, OLD_SECRET, pull, push, repository
from tests.stand_ins.slipway import SECRET

PROBLEM = "application/problem+json"


def test_a_push_gets_its_run(door, slipway):
    """A push to a mapped branch is answered 202 with its run, which can be asked for at once."""
    status, answer, _ = door.send(push())
    assert status == 202
    assert answer["task_id"] == answer["run_id"]
    assert answer["status_url"] == f"{slipway.url}/api/v1/runs/{answer['run_id']}"
    run = slipway.get(answer["status_url"].removeprefix(slipway.url)).json()
    assert (run["commit"], run["environment"], run["state"]) == (COMMIT, "sandbox", "queued")
    task = slipway.get(f"/api/v1/tasks/{answer['task_id']}").json()
    assert (task["state"], task["run_id"]) == ("queued", run["id"])


def test_a_form_encoded_push_is_read_too(door):
    """GitHub's other content type carries the same payload in a field."""
    status, answer, _ = door.send(push(), form=True)
    assert status == 202
    assert answer["run_id"]


def test_the_secret_before_the_rotation_still_signs(door):
    """Several secrets may sign while they are rotated."""
    assert door.send(push(), secret=OLD_SECRET)[0] == 202


def test_a_repeat_gets_its_run_again(door):
    """The same delivery, and another one of the same push, are answered 200 with the first run."""
    guid = {"X-GitHub-Delivery": "guid-1"}
    first = door.send(push(), headers=guid)
    for headers in (guid, {}):
        status, answer, _ = door.send(push(), headers=headers)
        assert (status, answer["run_id"]) == (200, first[1]["run_id"])
        assert answer["ignored"]


def test_twenty_at_once_make_one_run(door, slipway):
    """Twenty copies of a push at once: one 202, one run."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: door.send(push()), range(20)))
    assert sorted(status for status, *_ in answers) == [200] * 19 + [202]
    assert len({answer["run_id"] for _, answer, _ in answers}) == 1
    assert len(slipway.runs()) == 1


def test_a_pull_request_is_checked(door, slipway):
    """An opened, updated or reopened pull request gets a check run of its head."""
    ids = set()
    for action in ("opened", "synchronize", "reopened"):
        status, answer, _ = door.send(pull(action), event="pull_request")
        assert status in (200, 202)
        ids.add(answer["run_id"])
    (run,) = slipway.runs()
    assert ids == {run["id"]}
    assert (run["purpose"], run["commit"], run["environment"]) == ("check", "b" * 40, None)
    assert [stage["name"] for stage in run["stages"]] == ["checkout", "test", "analyze", "build"]
    assert run["pull_request"] == 3
    assert run["base"] == {"branch": "develop", "environment": "sandbox"}


@pytest.mark.parametrize("first", ["push", "pull_request"])
def test_a_merge_is_one_deploy(door, slipway, first):
    """Push and closed pull request of one merge give one run, whichever comes first."""
    merge = pull("closed", merged=True, merge_commit_sha=COMMIT)
    both = {"push": push(), "pull_request": merge}
    order = ["push", "pull_request"] if first == "push" else ["pull_request", "push"]
    answers = [door.send(both[event], event=event) for event in order]
    assert [status for status, *_ in answers] == [202, 200]
    (run,) = slipway.runs()
    assert (run["purpose"], run["environment"], run["pull_request"]) == ("deploy", "sandbox", 3)


def test_another_base_is_another_check(door, slipway):
    """A pull request that is turned to another base is checked for that one's environment."""
    door.send(pull(), event="pull_request")
    base = {"ref": "master", "sha": "c" * 40, "repo": {"id": 7}}
    payload = pull("edited", base=base) | {"changes": {"base": {"ref": {"from": "develop"}}}}
    assert door.send(payload, event="pull_request")[0] == 202
    bases = [run["base"]["environment"] for run in slipway.runs()]
    assert bases == ["production", "sandbox"]


FORKS = [
    {"head": {"ref": "x", "sha": "b" * 40, "repo": {"id": 8}}},
    {"head": {"ref": "x", "sha": "b" * 40, "repo": None}},
]


@pytest.mark.parametrize(
    ("payload", "event", "word"),
    [
        ({"zen": "Design for failure."}, "ping", "ping"),
        ({"action": "created"}, "issues", "issues"),
        (push(ref="refs/tags/v1"), "push", "not a branch"),
        (push(deleted=True, after="0" * 40), "push", "deleted"),
        (push(ref="refs/heads/feature"), "push", "no environment"),
        (push(ref="refs/heads/gh-readonly-queue/develop/pr-1"), "push", "no environment"),
        (push(repository=repository("evil/other")), "push", "operator"),
        (pull("labeled"), "pull_request", "labeled"),
        (pull("edited") | {"changes": {"title": {}}}, "pull_request", "edited"),
        (pull("closed", merged=True, merge_commit_sha=None), "pull_request", "without a merge"),
        (pull("closed"), "pull_request", "without a merge"),
        (pull("opened", **FORKS[0]), "pull_request", "fork"),
        (pull("synchronize", **FORKS[1]), "pull_request", "fork"),
    ],
)
def test_what_asks_for_nothing_says_why(door, slipway, payload, event, word):
    """What is not for us is answered 200 with the reason, and makes no run."""
    status, answer, _ = door.send(payload, event=event)
    assert status == 200
    assert word in answer["ignored"]
    assert slipway.runs() == []


BODY = json.dumps(push()).encode()


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=" + "0" * 64,
        sign("another secret", BODY).decode(),
        sign(SECRET, BODY).decode().upper(),
        sign(SECRET, BODY).decode().removeprefix("sha256="),
        "sha256=\xe9" + "0" * 63,
    ],
)
def test_a_wrong_signature_is_refused(door, slipway, signature):
    """Unsigned, wrongly signed and oddly signed deliveries are answered 401."""
    status, answer, kind = door.send(body=BODY, headers={"X-Hub-Signature-256": signature})
    assert (status, kind, answer["status"]) == (401, PROBLEM, 401)
    assert slipway.runs() == []


def test_the_old_signature_alone_is_refused(door):
    """SHA-1 signs nothing any more."""
    old = {"X-Hub-Signature-256": None, "X-Hub-Signature": "sha1=" + "0" * 40}
    assert door.send(body=BODY, headers=old)[0] == 401


def test_a_signature_that_comes_twice_is_refused(door):
    """Two signature headers are one too many, even if both are right."""
    good = ("X-Hub-Signature-256", sign(SECRET, BODY).decode())
    kind = ("Content-Type", "application/json")
    length = ("Content-Length", str(len(BODY)))
    assert door.raw([good, good, kind, length], BODY)[0] == 401


def test_a_flipped_byte_is_refused(door):
    """The signature is over the raw bytes."""
    signature = {"X-Hub-Signature-256": sign(SECRET, BODY).decode()}
    assert door.send(body=BODY.replace(b"develop", b"master."), headers=signature)[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        BODY[:-10],
        b"[]",
        b"null",
        b'"push"',
        b"\xff" + BODY,
        b'{"ref": "\xc3\x28"}',
        b'{"ref": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5000,
        b'{"ref": NaN}',
    ],
    ids=range(12),
)
@pytest.mark.parametrize("event", ["push", "pull_request", "issues"])
def test_an_unreadable_body_is_refused(door, body, event):
    """Truncated, non-UTF-8, deeply nested and non-object JSON is answered 400, in any event."""
    status, answer, kind = door.send(body=body, event=event)
    assert (status, kind) == (400, PROBLEM)
    assert answer["detail"]


WRONG = [None, 1, True, "x", [], {}, 1.5]
FIELDS = {"ref": ["x"], "after": [], "deleted": [True], "repository": [], "sender": [None]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field, fine in FIELDS.items()
        for value in WRONG
        if not any(type(value) is type(good) and value == good for good in fine)
    ],
)
def test_a_wrong_type_is_refused(door, field, value):
    """A field of a wrong type is answered 400 with the field's name."""
    status, answer, _ = door.send(push(**{field: value}))
    assert status == 400
    assert field in answer["detail"]


@pytest.mark.parametrize(
    ("field", "value"), [("merged", "no"), ("merge_commit_sha", 7), ("head", 1), ("base", [])]
)
def test_a_wrong_type_in_a_pull_request_is_refused(door, field, value):
    """The parts of a pull request that are read have types too."""
    status, answer, _ = door.send(pull(**{field: value}), "pull_request")
    assert status == 400
    assert field in answer["detail"]


@pytest.mark.parametrize(
    ("member", "value"),
    [("id", 10**400), ("id", -7), ("id", None), ("clone_url", "x" * 3000), ("full_name", [])],
    ids=range(5),
)
@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_a_repository_out_of_bounds_is_refused(door, slipway, event, member, value):
    """A wrong type or size below the top is answered 400, with its place, and makes no run."""
    payload = push() if event == "push" else pull()
    payload["repository"] = repository() | {member: value}
    status, answer, kind = door.send(payload, event=event)
    assert (status, kind) == (400, PROBLEM)
    assert f"repository.{member}" in answer["detail"]
    assert slipway.runs() == []


NOBODYS = {"name": None, "email": None, "username": None, "date": None}


@pytest.mark.parametrize(
    "more",
    [
        {"organization": None},
        {"installation": None, "enterprise": None},
        {"repository": repository() | {"topics": None, "size": 1.5, "owner": "ada"}},
        {"commits": [{"author": NOBODYS, "committer": None, "added": None}]},
        {"head_commit": {"author": NOBODYS}, "pusher": NOBODYS, "before": None},
        {"commits": None, "head_commit": [], "pusher": "ada", "compare": None, "created": None},
    ],
    ids=range(6),
)
@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_what_nobody_reads_costs_no_delivery(door, event, more):
    """A member that no order needs may be null or of any type: 202."""
    status, answer, _ = door.send((push if event == "push" else whole_pull)(**more), event)
    assert (status, answer.get("detail")) == (202, None)


def whole_pull(**more):
    """An opened pull request with other members at its top."""
    return pull() | more


def test_a_long_tag_gets_a_short_answer(door):
    """Three megabytes in a name do not come back."""
    status, answer, kind = door.send(push(ref="refs/tags/" + "x" * 3_000_000))
    assert (status, kind) == (400, PROBLEM)
    assert "ref" in answer["detail"]
    assert len(json.dumps(answer)) < 1000


@pytest.mark.parametrize("event", [None, ""])
@pytest.mark.parametrize("payload", [push(), {"zen": "Design for failure."}])
def test_a_delivery_that_names_no_event_is_refused(door, slipway, payload, event):
    """Without X-GitHub-Event it is no delivery of GitHub's: 400 with the header's name."""
    status, answer, kind = door.send(payload, headers={"X-GitHub-Event": event})
    assert (status, kind) == (400, PROBLEM)
    assert "X-GitHub-Event" in answer["detail"]
    assert slipway.runs() == []


@pytest.mark.parametrize("field", ["ref", "after", "repository"])
def test_a_missing_field_is_refused(door, field):
    """A push without one of its fields is answered 400."""
    payload = push()
    del payload[field]
    assert door.send(payload)[0] == 400


def test_another_content_type_is_refused(door):
    """Neither JSON nor a form: 400 with what to choose at GitHub."""
    status, answer, _ = door.send(push(), headers={"Content-Type": "text/plain"})
    assert status == 400
    assert "application/json" in answer["detail"]


def test_a_form_carries_any_language(door):
    """GitHub doesn't escape what is not ASCII before it encodes the form."""
    written = json.dumps(push(compare="\u2603 + é & 100%"), ensure_ascii=False).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert door.send(body=b"payload=" + quote_plus(written).encode(), headers=kind)[0] == 202
    assert door.send(body=b"payload=" + written.partition(b"&")[0], headers=kind)[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        b"other=1",
        b"payload",
        b"payload=%ff",
        b"payload=\xff",
        b"payload={}&payload={}",
        b"a=1&" * 20 + b"payload={}",
        b"&" * 1000,
        b"&" * 2_000_000,
    ],
)
def test_a_form_without_its_payload_is_refused(door, body):
    """A form-encoded delivery without a `payload` that can be read is answered 400."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert door.send(body=body, headers=kind)[0] == 400


def test_a_delivery_without_a_length_is_refused(door):
    """A chunked body, whose size nobody knows beforehand, is answered 411."""
    headers = [
        ("Content-Type", "application/json"),
        ("Transfer-Encoding", "chunked"),
        ("X-Hub-Signature-256", sign(SECRET, BODY).decode()),
    ]
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    assert door.raw(headers, chunk)[0] == 411
    assert door.raw([("Content-Type", "application/json")])[0] == 411


def test_a_body_over_the_limit_is_refused_unread(door):
    """Over 25 MB is answered 413 before a byte of the body has been sent."""
    headers = [("Content-Type", "application/json"), ("Content-Length", str(25 * 2**20 + 1))]
    started = time.monotonic()
    assert door.raw(headers)[0] == 413
    assert time.monotonic() - started < 2


def test_a_body_of_just_25_megabytes_is_taken(door):
    """The limit itself is still fine."""
    payload = json.dumps(push(filler="x")).encode()
    padding = 25 * 2**20 - len(payload)
    body = json.dumps(push(filler="x" * (padding + 1))).encode()
    assert len(body) == 25 * 2**20
    assert door.send(body=body)[0] == 202


def test_a_redis_that_hangs_or_is_gone_is_answered_within_a_second(door, web_redis, slipway):
    """503 within a second while Redis is paused and while it is dead; 202 when it is back."""
    import os

    def timed():
        started = time.monotonic()
        status, _, kind = door.send(push(after="d" * 40))
        return status, kind, time.monotonic() - started

    os.kill(web_redis.pid, signal.SIGSTOP)
    paused = [timed() for _ in range(3)]
    os.kill(web_redis.pid, signal.SIGCONT)
    web_redis.kill()
    gone = [timed() for _ in range(3)]
    for status, kind, seconds in paused + gone:
        assert (status, kind) == (503, PROBLEM)
        assert seconds < 1
    assert slipway.get("/readyz").status_code == 503
    assert slipway.get("/healthz").status_code == 200
    web_redis.start()
    assert door.send(push(after="e" * 40))[0] == 202
    assert slipway.get("/readyz").status_code == 200
