"""A real SMTP server that keeps what it is handed, and refuses what a test tells it to."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from local.ports import HOST, free_port

USER, PASSWORD = "slipway", "a p@ssword/of mail"


class Mail(NamedTuple):
    """One message as it was taken, with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes
    encrypted: bool

    def attachment(self) -> tuple[str, bytes]:
        """The name and the bytes of the only attachment."""
        (found,) = self.message.iter_attachments()
        return str(found.get_filename()), found.get_payload(decode=True)  # type: ignore[return-value]


class Smtp:
    """A running mail server; use it with `with`. `certificate` is a folder for one of its own.

    `refuse` holds, by recipient, the answers that RCPT gets: one for each try, the last for good.
    `refuse_data` holds answers for the next messages as a whole.
    """

    def __init__(self, certificate: Path | None = None, **options: Any) -> None:
        self.mails: list[Mail] = []
        self.tries: list[str] = []
        self.refuse: dict[str, list[str]] = {}
        self.refuse_data: list[str] = []
        self.port = free_port()
        self.authority = certificate and certificate / "server.pem"
        if certificate:
            options |= {
                "tls_context": private_certificate(certificate),
                "require_starttls": True,
                "auth_required": True,
                "authenticator": _authenticate,
            }
        self._controller = Controller(self, hostname=HOST, port=self.port, **options)

    @property
    def url(self) -> str:
        """What SMTP_URL is to be for it."""
        if self.authority:
            return f"smtp://{USER}:a%20p%40ssword%2Fof%20mail@localhost:{self.port}?starttls"
        return f"smtp://{HOST}:{self.port}"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: Iterable[str],
    ) -> str:
        """Take a recipient, or give the answer that a test ordered."""
        self.tries.append(address)
        answers = self.refuse.get(address, [])
        if answers:
            return answers.pop(0) if len(answers) > 1 else answers[0]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message, or give the answer that a test ordered."""
        if self.refuse_data:
            return self.refuse_data.pop(0)
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(
            Mail(
                str(envelope.mail_from),
                tuple(envelope.rcpt_tos),
                message,
                raw,
                session.ssl is not None,
            )
        )
        return "250 Taken"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._controller.stop()


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    known = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=data == known, handled=False)


def private_certificate(folder: Path) -> ssl.SSLContext:
    """A server's TLS; who is to trust it needs `server.pem` of the folder."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context
