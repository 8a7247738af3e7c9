"""Slack is told how deploys go, through an incoming webhook.

Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from time import time
from typing import Any

import requests
import structlog

from config import trust
from config.masker import cut
from workers.ledger.model.approval import candidate
from workers.ledger.model.errors import OurError, PassingError
from workers.ledger.model.run import Run
from workers.report import words
from workers.report.outbox import GIVEN_UP, SENT, Outbox, sentence
from workers.report.slack.message import Facts, message, notice
from workers.report.words import Event
from workers.workshop import Workshop

log = structlog.get_logger()

SECONDS = 10
PATIENCE_SECONDS = 86400
LONGEST_WAIT = 3600.0
USUAL_WAIT = 30.0
SENDING = "sending"
SERVER_ERROR = 500
QUIET = ("cancelled", "superseded")


class BusyError(PassingError):
    """Slack answered that it did not take the message; asks for `retry_after` seconds, or 0."""

    def __init__(self, text: str, retry_after: float) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class RefusedError(OurError):
    """Slack will never take this message, or any."""


def tell(shop: Workshop, run: Run, outbox: Outbox) -> None:
    """Post what has happened to a deploy and Slack does not know, in its order.

    Each message is written down before and after: a crash between the two sends it again, and
    it says so.

    Raises:
        PassingError: not now; the rest waits with it.
    """
    if shop.settings.slack_webhook_url is None or run.order.purpose == "check":
        return
    for event in words.events(run):
        unheard = event.name in QUIET and not outbox.told.get(_entry("started"), "").startswith(
            SENT
        )
        if unheard or outbox.settled(_entry(event.name)):
            continue
        if time() - event.at / 1000 > PATIENCE_SECONDS:
            _give_up(run, outbox, event, "a day has passed")
        else:
            _send(shop, run, outbox, event)


def say(shop: Workshop, text: str) -> None:
    """Post a plain text that belongs to no run.

    Raises:
        BusyError, PassingError: not now.
        RefusedError: never.
    """
    _post(shop, notice(shop.masker.mask(text)))


def _entry(name: str) -> str:
    return f"slack|{name}"


def _send(shop: Workshop, run: Run, outbox: Outbox, event: Event) -> None:
    entry = _entry(event.name)
    posted = message(run, event, _facts(shop, run, repeat=outbox.told.get(entry) == SENDING))
    outbox.keep({entry: SENDING})
    try:
        _post(shop, posted)
    except RefusedError as error:
        _give_up(run, outbox, event, sentence(error))
    except BusyError as error:
        outbox.told[entry] = f"delayed: {sentence(error)}"
        raise
    else:
        outbox.keep({entry: SENT})


def _give_up(run: Run, outbox: Outbox, event: Event, why: str) -> None:
    log.warning("notification_given_up", channel="slack", about=event.name, error=why)
    text = f"Slack was not told that the deploy {words.SAID[event.name]}: {why}"
    outbox.say(run, "slack", text)
    outbox.keep({_entry(event.name): f"{GIVEN_UP}: {why}"})


def _facts(shop: Workshop, run: Run, *, repeat: bool) -> Facts:
    subject, packages = shop.ledger.history.fields(run.id, "subject", "packages")
    answers = shop.settings.slack_signing_secret is not None
    return Facts(
        url=f"{shop.settings.url}/runs/{run.id}",
        subject=subject or "",
        candidate=candidate(packages) if packages and answers else None,
        repeat=repeat,
    )


def _post(shop: Workshop, posted: dict[str, Any]) -> None:
    """Post one message.

    Raises:
        BusyError: Slack did not take it now.
        RefusedError: it never will.
        PassingError: no answer: it may or may not have been taken.
    """
    secret = shop.settings.slack_webhook_url
    url = secret.get_secret_value() if secret else ""
    try:
        with trust.session(shop.settings.authorities) as session:
            answer = session.post(url, json=posted, timeout=SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        if why := trust.distrust(error):
            text = f"the certificate that Slack shows isn't trusted here ({why}): {trust.TURN}"
            raise BusyError(text, 0.0) from None
        # Its own text holds the webhook's address, which is a secret.
        name = type(error).__name__
        raise PassingError(f"Slack is out of reach ({name})") from None
    _judge(answer, cut(shop.masker.mask(answer.text), 100))


def _judge(answer: requests.Response, said: str) -> None:
    if answer.ok and not answer.is_redirect:
        return
    text = words.line(f"Slack answered {answer.status_code} ({said})")
    if answer.status_code == requests.codes.too_many_requests:
        raise BusyError(text, _wait(answer.headers.get("Retry-After", "")))
    if answer.status_code >= SERVER_ERROR or answer.status_code == requests.codes.request_timeout:
        raise BusyError(text, 0.0)
    if answer.status_code == requests.codes.bad_request:
        raise RefusedError(f"{text}: it does not take this message")
    raise RefusedError(f"{text}: the operator should check SLACK_WEBHOOK_URL")


def _wait(header: str) -> float:
    seconds = float(header) if header.isascii() and header.isdigit() else USUAL_WAIT
    return min(max(seconds, 1.0), LONGEST_WAIT)
