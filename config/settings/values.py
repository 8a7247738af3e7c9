"""What the text of an environment variable may be, and what becomes of it."""

import ssl
from collections.abc import Iterable
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from config.settings import smtp


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _tokens(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [part.strip().partition(":") for part in value.split(",") if part.strip()]
    if any(not (name and token) for name, _, token in pairs):
        raise ValueError("expected name:token, several separated by commas")
    found = {name: token for name, _, token in pairs}
    if len(found) < len(pairs):
        raise ValueError("expected another name for each token")
    return found


def _some(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not value:
        raise ValueError("expected a secret, or several separated by commas")
    _all_long(value)
    return value


def _each_long(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    _all_long(value)
    return value


def _all_long(values: Iterable[SecretStr]) -> None:
    for number, value in enumerate(values, 1):
        if len(value.get_secret_value()) < LEAST_SECRET:
            # Its place and not its name: who mixes the two up would read the secret in a log.
            raise ValueError(
                f"number {number} has fewer than {LEAST_SECRET} characters, so it can be guessed; "
                "whoever operates Slipway sets a longer one, which `openssl rand -hex 20` makes"
            )


def _long(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < LEAST_SECRET:
        raise ValueError(
            f"it has fewer than {LEAST_SECRET} characters, so it can be guessed; whoever operates "
            "Slipway sets a longer one, which `openssl rand -hex 20` makes"
        )
    return value


def _long_tokens(value: dict[str, SecretStr]) -> dict[str, SecretStr]:
    _all_long(value.values())
    return value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(one, strict=False)) for one in value)
    except ValueError:
        raise ValueError(
            "expected addresses and networks, such as 10.0.0.7,10.1.0.0/16, separated by commas"
        ) from None


def _pem(value: SecretStr) -> SecretStr:
    if "-----BEGIN " not in value.get_secret_value():
        raise ValueError("expected a private key in PEM form, with its lines")
    return value


def _pem_file(value: Path) -> Path:
    try:
        _pem(SecretStr(value.read_text()))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ValueError(f"can't be read: {why}") from None
    return value


def _ca_bundle(value: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
    except ssl.SSLError:
        raise ValueError("expected certificates in PEM form") from None
    except OSError as error:
        raise ValueError(f"can't be read: {error.strerror}") from None
    # Git runs in another folder.
    return value.absolute()


def _redis_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        database = parts.path.strip("/")
        good = parts.scheme in ("redis", "rediss") and parts.port != 0
    except ValueError:
        good = False
    if not good or (database and not database.isdecimal()):
        raise ValueError("expected redis://host:port/number, or rediss:// with TLS")
    return value


def _web_address(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        good = parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good:
        raise ValueError("expected an https:// address")
    return value


def _server_address(value: str) -> str:
    _web_address(SecretStr(value))
    parts = urlsplit(value)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("expected an https:// address without a user, a query or a fragment")
    return value.rstrip("/")


def _smtp_address(value: SecretStr) -> SecretStr:
    smtp.parse(value.get_secret_value())
    return value


def _sender(value: str) -> str:
    _, address = parseaddr(value)
    local, _, domain = address.rpartition("@")
    if not (local and domain and value.isprintable() and address.isascii()):
        raise ValueError("expected an email address, such as slipway@example.com")
    return value


LEAST_SECRET = 12
"""Characters below which a token or a webhook's secret is refused."""
GOOD_SECRET = 20
"""Characters below which it is warned of."""

Queue = Literal["build", "deploy"]
Queues = Annotated[tuple[Queue, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), AfterValidator(_some)]
SecretsIfAny = Annotated[
    tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), AfterValidator(_each_long)
]
Memory = Annotated[str, Field(pattern=r"^[1-9][0-9]*[bkmgBKMG]?$")]
# The rule for names of Docker's networks, which is that for its containers.
EngineNetwork = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$")]
Pem = Annotated[SecretStr, AfterValidator(_pem)]
PemFile = Annotated[Path, AfterValidator(_pem_file)]
CaBundle = Annotated[Path, AfterValidator(_ca_bundle)]
RedisAddress = Annotated[str, AfterValidator(_redis_address)]
WebAddress = Annotated[SecretStr, AfterValidator(_web_address)]
ServerAddress = Annotated[str, AfterValidator(_server_address)]
SmtpAddress = Annotated[SecretStr, AfterValidator(_smtp_address)]
Sender = Annotated[str, AfterValidator(_sender)]
Tokens = Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_tokens)]
LongTokens = Annotated[Tokens, AfterValidator(_long_tokens)]
LongSecret = Annotated[SecretStr, AfterValidator(_long)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_networks)]
