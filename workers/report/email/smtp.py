"""Hands messages over to a mail server."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

from config import trust
from config.masker import cut
from config.settings.smtp import SmtpServer
from workers.ledger.model.errors import OurError, PassingError, RunError

SECONDS = 20
PERMANENT = range(500, 600)
TOO_LARGE = 552
NO_SUCH_NAME = 553


class Refusal(NamedTuple):
    """What a server answered about one recipient that it did not take."""

    code: int
    text: str

    @property
    def permanent(self) -> bool:
        """Whether asking again would not help."""
        return self.code in PERMANENT


def send(
    server: SmtpServer,
    message: EmailMessage,
    sender: str,
    recipients: Sequence[str],
    authorities: Path | None = None,
) -> dict[str, Refusal]:
    """Hand a message over for all recipients; whom the server did not take, and why.

    Raises:
        PassingError: the server is out of reach.
        OurError: it does not take our credentials, or can't do what SMTP_URL asks for.
    """
    with _translated(server), _connected(server, authorities) as smtp:
        return _hand_over(smtp, message, sender, recipients)


def _hand_over(
    smtp: smtplib.SMTP, message: EmailMessage, sender: str, recipients: Sequence[str]
) -> dict[str, Refusal]:
    answers: Mapping[str, tuple[int, bytes | str]]
    try:
        answers = smtp.send_message(message, sender, recipients)
    except smtplib.SMTPRecipientsRefused as error:
        # A server that closes the connection half way has judged only some of them.
        answers = dict.fromkeys(recipients, (421, b"not reached")) | error.recipients
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        answers = dict.fromkeys(recipients, (error.smtp_code, error.smtp_error))
    except smtplib.SMTPNotSupportedError:
        text = b"the mail server takes no addresses beyond ASCII (SMTPUTF8)"
        answers = dict.fromkeys(recipients, (NO_SUCH_NAME, text))
    return {who: Refusal(code, _text(said)) for who, (code, said) in answers.items()}


def _text(said: bytes | str) -> str:
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    return cut(" ".join(text.split()), 200)


@contextlib.contextmanager
def _connected(server: SmtpServer, authorities: Path | None) -> Iterator[smtplib.SMTP]:
    trusted = trust.context(authorities)
    smtp = (
        smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=trusted)
        if server.security == "tls"
        else smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    )
    try:
        if server.security == "starttls":
            smtp.starttls(context=trusted)
        if server.user is not None:
            smtp.login(server.user, server.password or "")
        yield smtp
        # What was taken is taken, whatever becomes of the farewell.
        with contextlib.suppress(OSError, smtplib.SMTPException):
            smtp.quit()
    finally:
        smtp.close()


@contextlib.contextmanager
def _translated(server: SmtpServer) -> Iterator[None]:
    where = f"the mail server {server.host}:{server.port}"
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise _unwelcome(where, error) from None
    except smtplib.SMTPNotSupportedError:
        raise OurError(f"{where} doesn't offer what SMTP_URL asks for: STARTTLS, login") from None
    except ssl.SSLCertVerificationError as error:
        raise OurError(
            f"{where} shows a certificate that isn't trusted ({error.verify_message}): {trust.TURN}"
        ) from None
    except smtplib.SMTPResponseException as error:
        raise PassingError(
            f"{where} answered {error.smtp_code} {_text(error.smtp_error)}"
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise PassingError(f"{where} is out of reach ({type(error).__name__})") from None


def _unwelcome(where: str, error: smtplib.SMTPAuthenticationError) -> RunError:
    if error.smtp_code in PERMANENT:
        return OurError(
            f"{where} doesn't take the user and password of SMTP_URL ({error.smtp_code}); "
            "the operator must correct them"
        )
    return PassingError(f"{where} can't check the password now ({error.smtp_code})")
