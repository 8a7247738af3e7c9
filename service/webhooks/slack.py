"""POST /webhooks/slack: a button pressed in Slack becomes an approver's word."""

import hmac
import re
from html import escape
from pathlib import Path
from time import time
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
import structlog
from flask import Blueprint, Response, abort, jsonify, request
from pydantic import BaseModel, ConfigDict, ValidationError
from redis.exceptions import RedisError

from config import trust
from service.access import written_down
from service.actions.approve import Speaker, Word, decide
from service.actions.refusal import Refused
from service.aside import Aside
from service.web import Web
from service.webhooks.body import form_field
from workers.ledger.model.approval import APPROVE, REJECT, Verdict

MOST_BYTES = 256 * 1024
FRESH_SECONDS = 300
SLACK_HOST = "hooks.slack.com"
TIMEOUT = (3, 10)
ANSWERS_AT_ONCE = 4
VERDICTS: dict[str, Verdict] = {APPROVE: "approve", REJECT: "reject"}
STRANGER = (
    "Slipway does not know who you are, so this did not count. Ask its operator to add you to the "
    """operator's file: `[slack] users = {{ {} = "your-github-login" }}`. Until then, use the """
    "run's page or the command line."
)
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")

blueprint = Blueprint("slack", __name__)
log = structlog.get_logger()


class User(BaseModel):
    """Who pressed."""

    id: str


class Action(BaseModel):
    """What was pressed; buttons that only lead somewhere have no value."""

    action_id: str = ""
    value: str = ""


class Interaction(BaseModel):
    """What Slack sends, as far as it matters here."""

    type: str
    user: User
    actions: tuple[Action, ...] = ()
    response_url: str = ""


class Candidate(BaseModel):
    """A button's value: the run, and what its message showed."""

    model_config = ConfigDict(strict=True)

    run: str
    commit: str
    sha256: str


class Press(NamedTuple):
    """A press of one of our buttons: by whom, and what it says."""

    user: str
    verdict: Verdict
    value: str


class Told(NamedTuple):
    """What became of a press, and where Slack wants to hear of it."""

    url: str
    answer: dict[str, object]
    authorities: Path | None


@blueprint.post("/webhooks/slack")
def slack() -> Response:
    """Count the word of whoever pressed; what became of it is told to that person alone."""
    web = Web.current()
    payload = _payload(_genuine(web))
    press = _press(payload)
    if press is None:
        # A link's button, or something newer than this: Slack wants to hear no more than 200.
        return Response(status=200)
    # Markup of Slack's own: https://docs.slack.dev/messaging/formatting-message-text
    text = escape(_told(web, press), quote=False)
    log.info("slack_button", user=press.user, verdict=press.verdict, told=text)
    answer = {"response_type": "ephemeral", "replace_original": False, "text": text}
    _send(web, payload.response_url, answer)
    return jsonify(answer)


def _genuine(web: Web) -> bytes:
    """The body, if Slack signed it just now.

    Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
    """
    secret = web.settings.slack_signing_secret
    if secret is None:
        # Not 404: the endpoint is there, and no signature can be right.
        abort(401, "No button can be verified: set SLACK_SIGNING_SECRET to the Slack app's.")
    request.max_content_length = MOST_BYTES
    body = request.get_data(cache=False)
    at = request.headers.get("X-Slack-Request-Timestamp", "")
    if not _TIMESTAMP.fullmatch(at) or abs(time() - int(at)) > FRESH_SECONDS:
        abort(401, "X-Slack-Request-Timestamp is missing or not of the last five minutes.")
    given = request.headers.get("X-Slack-Signature", "")
    expected = sign(secret.get_secret_value(), at, body)
    if not _SIGNATURE.fullmatch(given) or not hmac.compare_digest(given, expected):
        abort(401, "X-Slack-Signature is missing or is not this body's signature.")
    return body


def sign(secret: str, at: str, body: bytes) -> str:
    """The value of `X-Slack-Signature` for a body sent at a time (seconds since 1970)."""
    return "v0=" + hmac.digest(secret.encode(), f"v0:{at}:".encode() + body, "sha256").hex()


def _payload(body: bytes) -> Interaction:
    try:
        return Interaction.model_validate_json(form_field(body, b"payload") or b"")
    except ValidationError:
        abort(400, "The body is no interaction of Slack's: a form with one field, payload.")


def _press(payload: Interaction) -> Press | None:
    ours = [action for action in payload.actions if action.action_id in VERDICTS]
    if payload.type != "block_actions" or not ours:
        return None
    return Press(payload.user.id, VERDICTS[ours[0].action_id], ours[0].value)


def _told(web: Web, press: Press) -> str:
    """Count it; what became of it, in a sentence for whoever pressed."""
    login = web.operator.slack.users.get(press.user)
    if login is None:
        return STRANGER.format(press.user)
    try:
        seen = Candidate.model_validate_json(press.value)
        word = Word(commit=seen.commit, sha256=seen.sha256)
        asked = decide(web, seen.run, Speaker(login, f"slack {press.user}"), press.verdict, word)
    except ValidationError:
        return "This button is not one that Slipway knows; use the run's page."
    except Refused as error:
        written_down(error)
        return f"Nothing changed. {error.sentence}"
    except RedisError as error:
        log.warning("ledger_unavailable", error=str(error))
        return "Slipway can't reach its ledger, so this did not count. Press again in a moment."
    if press.verdict == "reject":
        return f"Rejected, as {login}: the run ends."
    more = f"{asked.missing} more needed." if asked.missing else "It goes live now."
    return f"Approved, as {login}. {more}"


def _send(web: Web, url: str, answer: dict[str, object]) -> None:
    """Tell it to Slack beside the answer: for buttons in blocks, it shows nothing else.

    Source: "Message responses" in https://docs.slack.dev/interactivity/handling-user-interaction
    """
    own = web.settings.slack_webhook_url
    hosts = {("https", SLACK_HOST)}
    if own is not None:
        hosts.add(_place(own.get_secret_value()))
    told = Told(url, answer, web.settings.authorities)
    if _place(url) in hosts and not _answers.add(told):
        log.warning("slack_answer_dropped", error="too many at once")


def _place(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ("", "")
    return (parts.scheme, parts.netloc)


def _post(told: Told) -> None:
    try:
        with trust.session(told.authorities) as session:
            posted = session.post(
                told.url, json=told.answer, timeout=TIMEOUT, allow_redirects=False
            )
            posted.raise_for_status()
    except requests.RequestException as error:
        # Not its text: that holds an address with which anybody could answer.
        log.warning("slack_answer_lost", error=type(error).__name__)


_answers = Aside("slack-answer", _post, threads=ANSWERS_AT_ONCE)
