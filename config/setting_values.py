"""What the text of an environment variable may be, and what becomes of it."""

from email.utils import parseaddr
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from config import smtp


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
    return {name: token for name, _, token in pairs}


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


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]
WebAddress = Annotated[SecretStr, AfterValidator(_web_address)]
ServerAddress = Annotated[str, AfterValidator(_server_address)]
SmtpAddress = Annotated[SecretStr, AfterValidator(_smtp_address)]
Sender = Annotated[str, AfterValidator(_sender)]
Tokens = Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_tokens)]
