"""The addresses of an environment get an email when a deploy to it has succeeded or failed."""

from collections.abc import Mapping, Sequence
from email.utils import parseaddr
from ipaddress import ip_address
from time import time
from urllib.parse import urlsplit

import structlog

from config.settings.smtp import SmtpServer
from workers.archive import ending
from workers.archive.reading import whole
from workers.ledger.model.errors import PassingError, RunError
from workers.ledger.model.run import Run, State
from workers.report.email import smtp
from workers.report.email.message import Facts, message
from workers.report.email.smtp import Refusal
from workers.report.outbox import GIVEN_UP, SENT, Outbox
from workers.workshop import Workshop

log = structlog.get_logger()

PATIENCE_SECONDS = 86400
PART_SECONDS = 60
MOST_PACKED = 10_000_000
"""Bytes of a packed log that are attached; in base64 a third more, which most servers take."""

MILLISECONDS = 1000
ATTACHED = "The whole log is attached."
FLAWED = "The log is attached; it says where some of it is missing."
CUT_SHORT = "The end of the log is attached; its beginning had to be cut."
CUT = "The log is too large for an email: its end is attached, the whole is on the run's page."
REFUSED = "The log is too large for the mail server; it is on the run's page."
ELSEWHERE = "The log is on the run's page."
RESULTS = (State.SUCCEEDED, State.FAILED)


def tell(shop: Workshop, run: Run, outbox: Outbox) -> None:
    """Send the email about a deploy's end to those who don't have it yet.

    A crash between the server's yes and our note sends it again, with the same Message-ID.

    Raises:
        PassingError: some could not be told now.
        OurError: the operator must correct SMTP_URL first.
    """
    pending = _pending(shop, run, outbox)
    # The archive's pause has the report made again, for as long as a part of the log may come.
    if not pending or ending.late(shop, run, PART_SECONDS):
        return
    server = shop.settings.smtp
    if server is None:
        _give_up(run, outbox, dict.fromkeys(pending, "SMTP_URL is not set"))
    elif time() - (run.finished_at or 0) / MILLISECONDS > PATIENCE_SECONDS:
        _give_up(run, outbox, dict.fromkeys(pending, "a day has passed"))
    else:
        _tell_all(shop, run, outbox, server, pending)


def _tell_all(
    shop: Workshop, run: Run, outbox: Outbox, server: SmtpServer, pending: Sequence[str]
) -> None:
    """Send to all; addresses beyond ASCII apart, since not every server takes them."""
    facts = _facts(shop, run)
    plain = [one for one in pending if one.isascii()]
    others = [one for one in pending if not one.isascii()]
    later: dict[str, str] = {}
    for group in filter(None, (plain, others)):
        later |= _settle(shop, run, outbox, group, _send(shop, run, server, group, facts))
    if later:
        raise PassingError("; ".join(f"{one}: {why}" for one, why in later.items()))


def _pending(shop: Workshop, run: Run, outbox: Outbox) -> list[str]:
    environment = shop.operator.environments.get(run.order.environment or "")
    if environment is None or run.order.purpose == "check" or run.state not in RESULTS:
        return []
    unique = dict.fromkeys(environment.email)
    return [address for address in unique if not outbox.settled(_entry(run, address))]


def _entry(run: Run, address: str) -> str:
    return f"email|{run.state}|{address}"


def _settle(
    shop: Workshop, run: Run, outbox: Outbox, group: Sequence[str], refused: Mapping[str, Refusal]
) -> dict[str, str]:
    """Write down who has it and who never will; who must be asked again, and why."""
    outbox.keep({_entry(run, one): SENT for one in group if one not in refused})
    final = {one: _said(shop, answer) for one, answer in refused.items() if answer.permanent}
    if final:
        _give_up(run, outbox, final)
    later = {one: _said(shop, answer) for one, answer in refused.items() if not answer.permanent}
    outbox.told |= {_entry(run, one): f"delayed: {why}" for one, why in later.items()}
    return later


def _said(shop: Workshop, answer: Refusal) -> str:
    return shop.masker.mask(f"the mail server answered {answer.code} {answer.text}".strip())


def _give_up(run: Run, outbox: Outbox, reasons: Mapping[str, str]) -> None:
    for address, why in reasons.items():
        log.warning("notification_given_up", channel="email", about=str(run.state), error=why)
        outbox.say(run, "email", f"no email to {address}: {why}")
    outbox.keep({_entry(run, one): f"{GIVEN_UP}: {why}" for one, why in reasons.items()})


def _send(
    shop: Workshop, run: Run, server: SmtpServer, group: Sequence[str], facts: Facts
) -> dict[str, Refusal]:
    """Send to some; without the log to those whose server finds it too large."""
    trusted = shop.settings.authorities
    sender = shop.settings.email_from or f"Slipway <slipway@{_domain(shop.settings.url)}>"
    address = parseaddr(sender)[1]
    refused = smtp.send(server, message(run, sender, group, facts), address, group, trusted)
    large = [one for one, answer in refused.items() if answer.code == smtp.TOO_LARGE]
    if not large or not facts.log:
        return refused
    less = facts._replace(log=None, about_log=REFUSED)
    rest = {one: answer for one, answer in refused.items() if one not in large}
    return rest | smtp.send(server, message(run, sender, large, less), address, large, trusted)


def _domain(url: str) -> str:
    host = urlsplit(url).hostname or "localhost"
    try:
        ip_address(host)
    except ValueError:
        return host
    return "localhost"


def _facts(shop: Workshop, run: Run) -> Facts:
    history = shop.ledger.history
    (subject,) = history.fields(run.id, "subject")
    log, about = _log(shop, run)
    return Facts(
        url=f"{shop.settings.url}/runs/{run.id}", subject=subject or "", log=log, about_log=about
    )


def _log(shop: Workshop, run: Run) -> tuple[str | bytes | None, str]:
    """What is attached, and what is said of it."""
    history = shop.ledger.history
    if history.archived(run.id):
        return None, ELSEWHERE
    try:
        packed = whole(shop, run, MOST_PACKED)
    except RunError:
        packed = None
    parts = shop.ledger.parts.of(run.id)
    if packed:
        return packed, FLAWED if any(one.flawed for one in parts) else ATTACHED
    if not history.cut_note(run.id):
        return history.text(run.id), ATTACHED
    return history.text(run.id), CUT if parts else CUT_SHORT
