"""Slack's buttons over real HTTP: who signed, who pressed, and what becomes of it."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests
from redis import Redis
from werkzeug.serving import make_server

from config.server import parse
from local.ports import free_port
from local.redis import EmbeddedRedis
from service import create_app
from service.webhooks.slack import MOST_BYTES, sign
from tests.dashboard.conftest import TOKEN, settings
from tests.dashboard.worker import Work, order
from workers.ledger import Ledger
from workers.ledger.model.approval import candidate
from workers.ledger.model.errors import PeopleError
from workers.ledger.model.run import Release, StageState, State
from workers.report.slack.message import Facts, message
from workers.report.words import events

SECRET = "slack's signing secret"
PACKAGES = '{"MoviesLoader": "q+w="}'
OPERATOR = """
[environments.production]
branch = "master"
approval = { required = 2, approvers = ["Ada", "bob", "carol"], self_approval = false }

[[repositories]]
name = "watchlist/*"

[slack]
users = { U0ADA = "ada", U0BOB = "bob", U0EVE = "eve", W0CAROL = "carol" }
"""


class Channel(http.server.BaseHTTPRequestHandler):
    """Slack's side of a response_url: what was told to whoever pressed."""

    told: list[dict[str, object]]

    def do_POST(self) -> None:
        """Take one message."""
        length = int(self.headers["Content-Length"])
        self.told.append(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def channel_server() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A response_url and what was sent to it."""
    told: list[dict[str, object]] = []
    kind = type("Channel", (Channel,), {"told": told})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/actions/T1/2/3", told
        server.shutdown()
        thread.join()


def serving(redis_url: str, **changes: object) -> Iterator[str]:
    """A web server's address."""
    app = create_app(settings(redis_url, **changes), parse(OPERATOR))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def web_server(redis_server: EmbeddedRedis, channel_server) -> Iterator[str]:
    """The web process; Slack's own host is the channel's."""
    yield from serving(
        redis_server.url,
        slack_signing_secret=SECRET,
        slack_webhook_url=channel_server[0],
        api_tokens=f"ADA:{TOKEN}",
    )


@pytest.fixture
def channel(channel_server) -> tuple[str, list[dict[str, object]]]:
    """A response_url to which nothing was sent yet."""
    channel_server[1].clear()
    return channel_server


@pytest.fixture
def url(web_server: str, redis: Redis) -> str:
    """The web process's address; its ledger is empty."""
    return web_server


@pytest.fixture
def work(redis: Redis) -> Work:
    """A run that waits for two approvals; carol pushed it."""
    work = Work(redis, ref="refs/heads/master", environment="production", sender="Carol")
    work.lease.releases([Release(function="MoviesLoader", version="7", sha256="q+w=")])
    work.lease.write(packages=PACKAGES)
    work.stage("approve", StageState.WAITING, started_at=1_760_000_000_000)
    work.lease.wait(PeopleError(3600, "7:production"), work.records)
    return work


def button(work: Work, label: str) -> dict[str, object]:
    """A button of the message that Slack was sent about the run."""
    run = work.ledger.history.run(work.id)
    (event,) = [one for one in events(run) if one.name == "waiting"]
    blocks = message(run, event, Facts("https://slipway.example", "", candidate(PACKAGES)))[
        "blocks"
    ]
    (actions,) = [block for block in blocks if block["type"] == "actions"]
    (found,) = [one for one in actions["elements"] if one["text"]["text"] == label]
    return {"action_id": found["action_id"], "value": found["value"], "type": "button"}


def press(url: str, action: dict[str, object], user: str = "U0ADA", **changes: object):
    """Press a button as Slack tells it."""
    payload = {
        "type": "block_actions",
        "user": {"id": user, "username": "x"},
        "actions": [action],
        "message": {"text": "\u2603 + é & 100%"},
    }
    text = json.dumps(payload | changes, ensure_ascii=False)
    return send(url, urlencode({"payload": text}).encode())


def send(url: str, body: bytes, secret: str = SECRET, at: str | None = None, **headers: str):
    """POST a body as Slack signs it."""
    at = str(int(time.time())) if at is None else at
    signed = {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": sign(secret, at, body),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{url}/webhooks/slack", data=body, headers=signed | given, timeout=10)


def votes(work: Work) -> list[tuple[str, str, str]]:
    """Who said what from where."""
    (text,) = work.ledger.history.fields(work.id, "votes")
    return [(one["who"], one["verdict"], one["origin"]) for one in json.loads(text or "[]")]


def test_the_signature_is_the_one_of_slacks_documentation() -> None:
    """The example under "Verifying requests from Slack" gives the signature that stands there."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121"
        b".803a0bc887a14d10d2c447fce8b6703c"
    )
    assert sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body) == (
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )


def test_two_approvers_press_and_it_goes_on(url: str, work: Work) -> None:
    """Each word counts once, with its origin; the last one wakes the run."""
    before = work.ledger.backlog("deploy")
    first = press(url, button(work, "Approve"))
    assert first.status_code == 200
    assert first.json() == {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": "Approved, as ada. 1 more needed.",
    }
    assert "goes live now" in press(url, button(work, "Approve"), "U0BOB").json()["text"]
    assert votes(work) == [("Ada", "approve", "slack U0ADA"), ("bob", "approve", "slack U0BOB")]
    assert work.ledger.backlog("deploy") == before + 1


def test_a_no_wakes_the_run_at_once(url: str, work: Work) -> None:
    """One rejection is enough."""
    before = work.ledger.backlog("deploy")
    assert press(url, button(work, "Reject")).json()["text"] == "Rejected, as ada: the run ends."
    assert votes(work) == [("Ada", "reject", "slack U0ADA")]
    assert work.ledger.backlog("deploy") == before + 1


def test_a_repeated_delivery_is_harmless(url: str, work: Work) -> None:
    """The word is counted once, and the answer says so."""
    press(url, button(work, "Approve"))
    again = press(url, button(work, "Approve"))
    assert again.status_code == 200
    assert "already" in again.json()["text"]
    assert len(votes(work)) == 1


def test_nobody_counts_twice_by_another_way(url: str, work: Work) -> None:
    """Ada's token says ADA, Slack says ada, the operator says Ada: they are one."""
    path = f"{url}/api/v1/runs/{work.id}/approve"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.post(path, headers=headers, timeout=10).json()["missing"] == 1
    assert "already" in press(url, button(work, "Approve")).json()["text"]
    assert len(votes(work)) == 1


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("U0NOBODY", '[slack] users = { U0NOBODY = "your-github-login" }'),
        ("U0EVE", "eve is no approver of production"),
        ("W0CAROL", "carol pushed this commit"),
    ],
)
def test_who_may_not_is_told_why(url: str, work: Work, user: str, said: str) -> None:
    """Somebody unknown, no approver, or the one who pushed: told alone, nothing counted."""
    answer = press(url, button(work, "Approve"), user)
    assert (answer.status_code, answer.json()["response_type"]) == (200, "ephemeral")
    assert said.lower() in answer.json()["text"].lower()
    assert votes(work) == []


@pytest.mark.parametrize("changes", [{"commit": "f" * 40}, {"sha256": "0" * 64}])
def test_a_message_of_another_candidate_counts_nothing(
    url: str, work: Work, changes: dict[str, str]
) -> None:
    """A button approves what its message showed and nothing else."""
    action = button(work, "Approve")
    action["value"] = json.dumps(json.loads(str(action["value"])) | changes)
    assert "Another candidate waits now" in press(url, action).json()["text"]
    assert votes(work) == []


def test_a_button_of_a_run_that_has_ended(url: str, work: Work) -> None:
    """The answer says what became of it, without Slack's markup."""
    action = button(work, "Approve")
    work.ledger.cancel(work.id, "cancelled by <!channel>")
    text = press(url, action).json()["text"]
    assert "it is cancelled: cancelled by &lt;!channel&gt;" in text


@pytest.mark.parametrize(
    "value", ["", "x", "[]", "{}", '{"run": 1}', '{"run": "\\ud800"}', "9" * 9]
)
def test_an_odd_value_is_answered(url: str, work: Work, value: str) -> None:
    """Buttons of another time or another program get a sentence."""
    action = button(work, "Approve") | {"value": value}
    answer = press(url, action)
    assert answer.status_code == 200
    assert "not one that Slipway knows" in answer.json()["text"]


def test_a_run_that_is_not_kept_is_said_so(url: str, work: Work) -> None:
    """Old messages outlive their runs."""
    action = button(work, "Approve")
    action["value"] = json.dumps(json.loads(str(action["value"])) | {"run": "gone"})
    assert "no run gone" in press(url, action).json()["text"]


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "view_submission"},
        {"actions": []},
        {"actions": [{"type": "button", "action_id": "open", "url": "https://x.example"}]},
    ],
)
def test_other_interactions_are_acknowledged(url: str, work: Work, changes) -> None:
    """A button that is only a link needs an empty 200, or Slack shows a warning."""
    answer = press(url, button(work, "Approve"), **changes)
    assert (answer.status_code, answer.content) == (200, b"")
    assert votes(work) == []


def test_the_answer_is_told_through_the_response_url(url: str, work: Work, channel) -> None:
    """Slack shows no answer to a button in a block but what is posted there."""
    address, told = channel
    press(url, button(work, "Approve"), response_url=address)
    deadline = time.monotonic() + 5
    while not told:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert told[0]["text"] == "Approved, as ada. 1 more needed."
    assert (told[0]["response_type"], told[0]["replace_original"]) == ("ephemeral", False)


def test_a_response_url_elsewhere_is_left_alone(url: str, work: Work, channel) -> None:
    """Only Slack's host is called, whatever a payload says."""
    address, told = channel
    elsewhere = address.replace("127.0.0.1", "localhost")
    press(url, button(work, "Approve"), response_url=elsewhere)
    press(url, button(work, "Approve"), response_url="http://[")
    time.sleep(0.5)
    assert told == []
    assert len(votes(work)) == 1


def test_a_silent_response_url_delays_nothing(
    redis: Redis, redis_server: EmbeddedRedis, work: Work
) -> None:
    """The answer does not wait for a server that takes the connection and says nothing."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        web = serving(redis_server.url, slack_signing_secret=SECRET, slack_webhook_url=address)
        began = time.monotonic()
        answer = press(next(web), button(work, "Approve"), response_url=address)
        assert time.monotonic() - began < 1
        assert "Approved" in answer.json()["text"]
        list(web)


@pytest.mark.parametrize(
    "at", ["", "now", "1.5", "-1", "1_0", "١٧٦٠٠٠٠٠٠٠", "0", "9" * 400, "old", "future"]
)
def test_only_the_last_five_minutes_count(url: str, work: Work, at: str) -> None:
    """A time that is missing, no whole number, too old or ahead: 401, though signed well."""
    shifts = {"old": -301, "future": 320}
    given = str(int(time.time()) + shifts[at]) if at in shifts else at
    body = urlencode({"payload": "{}"}).encode()
    headers = {
        "X-Slack-Request-Timestamp": given.encode(),
        "X-Slack-Signature": sign(SECRET, given, body),
    }
    answer = requests.post(f"{url}/webhooks/slack", data=body, headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_four_minutes_are_fine(url: str, work: Work) -> None:
    """Clocks differ and networks are slow."""
    action = button(work, "Approve")
    payload = {"type": "block_actions", "user": {"id": "U0ADA"}, "actions": [action]}
    body = urlencode({"payload": json.dumps(payload)}).encode()
    answer = send(url, body, at=str(int(time.time()) - 240))
    assert "Approved" in answer.json()["text"]


@pytest.mark.parametrize(
    "signature", ["", "v0=", "v0=" + "0" * 64, "v1=" + "0" * 64, "v0=" + "é" * 64, "wrong secret"]
)
def test_a_wrong_signature_is_refused(url: str, work: Work, signature: str) -> None:
    """Nothing is read of a body that Slack did not sign."""
    body = urlencode({"payload": "{}"}).encode()
    at = str(int(time.time()))
    given = sign("another secret", at, body) if signature == "wrong secret" else signature
    headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": given.encode()}
    answer = requests.post(f"{url}/webhooks/slack", data=body, headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload=",
        b"payload=x",
        b"payload=%5B%5D",
        b"payload=%7B%7D&payload=%7B%7D",
        b"payload=%FF",
        b"payload=" + b"%5B" * 60_000,
        b"&" * 1000,
        b"{}",
    ],
)
def test_an_unreadable_body_is_refused(url: str, work: Work, body: bytes) -> None:
    """Signed or not, what is no interaction gets 400 as a problem."""
    answer = send(url, body)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_body_over_its_limit_is_refused(url: str, work: Work) -> None:
    """Slack's messages are far smaller."""
    assert send(url, b"payload=" + b"a" * MOST_BYTES).status_code == 413


def test_a_body_over_the_limit_of_other_requests_is_read(url: str, work: Work) -> None:
    """An interaction holds the whole message, which may be long."""
    answer = press(url, button(work, "Approve"), message={"text": "x" * 100_000})
    assert "Approved" in answer.json()["text"]


def test_without_the_secret_there_are_no_buttons(
    redis: Redis, redis_server: EmbeddedRedis, work: Work
) -> None:
    """401 as a problem, with the variable to set."""
    web = serving(redis_server.url)
    answer = press(next(web), button(work, "Approve"))
    assert answer.status_code == 401
    assert "SLACK_SIGNING_SECRET" in answer.json()["detail"]
    list(web)


def test_a_ledger_out_of_reach_is_said_in_time(work: Work) -> None:
    """Whoever pressed hears within three seconds that it did not count."""
    action = button(work, "Approve")
    web = serving(f"redis://127.0.0.1:{free_port()}/0", slack_signing_secret=SECRET)
    began = time.monotonic()
    answer = press(next(web), action)
    assert time.monotonic() - began < 3
    assert answer.status_code == 200
    assert "Press again" in answer.json()["text"]
    list(web)


def test_an_approval_needs_to_be_asked_for(url: str, redis: Redis) -> None:
    """A value that somebody made up for a run elsewhere counts nothing."""
    ledger = Ledger(redis)
    made = order(environment="sandbox")
    run_id = ledger.accept(made, "d", ("approve",), "build").run_id
    value = {"run": run_id, "commit": made.commit, "sha256": "0" * 64}
    action = {"action_id": "slipway_approve", "value": json.dumps(value)}
    assert "nobody is asked" in press(url, action).json()["text"]
    assert ledger.history.run(run_id).state is State.QUEUED
