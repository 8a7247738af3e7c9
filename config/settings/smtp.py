"""Where mail is handed over, as one URL."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

Security = Literal["none", "starttls", "tls"]
PORTS: dict[Security, int] = {"none": 25, "starttls": 587, "tls": 465}
EXPECTED = (
    "expected smtp://user:password@host:port?starttls or smtps://user:password@host:port, where "
    "user, password, port and ?starttls may be left out and special characters are %-encoded"
)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server, and how to speak to it."""

    host: str
    port: int
    security: Security
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def parse(url: str) -> SmtpServer:
    """The mail server that a URL names.

    Raises:
        ValueError: it names none; the text never holds a part of it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Its own text quotes what may be a password.
        raise ValueError(EXPECTED) from None
    security = _security(parts)
    whole = bool(parts.hostname) and bool(parts.username) == bool(parts.password)
    if security is None or not whole or parts.path.strip("/") or parts.fragment or port == 0:
        raise ValueError(EXPECTED)
    user, password = (unquote(one) if one else None for one in (parts.username, parts.password))
    if not f"{user}{password}{parts.hostname}".isascii():
        raise ValueError("user, password and host are ASCII (RFC 4954); a host as its punycode")
    return SmtpServer(parts.hostname or "", port or PORTS[security], security, user, password)


def _security(parts: SplitResult) -> Security | None:
    known: dict[tuple[str, str], Security] = {
        ("smtp", ""): "none",
        ("smtp", "starttls"): "starttls",
        ("smtps", ""): "tls",
    }
    return known.get((parts.scheme, parts.query.lower()))
