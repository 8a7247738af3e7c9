"""Who may ask: tokens in the forms that GitHub takes, and an App's signed claims."""

import base64
import binascii
import time

import jwt

CLOCK_SKEW = 60
APP_LIFETIME = 600


def token_in(header: str) -> str | None:
    """The token in an Authorization header: `Bearer`, `token` or the password of `Basic`."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() in {"bearer", "token"}:
        return value.strip()
    if scheme.lower() == "basic":
        name, password = _basic(value)
        return name if password in {"", "x-oauth-basic"} else password
    return None


def masked(header: str) -> str:
    """An Authorization header with stars in place of the credential."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return f"{scheme} ***"
    name = _basic(value)[0]
    return f"{scheme} ***" if name == token_in(header) else f"{scheme} {name}:***"


def _basic(value: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, password = text.partition(":")
    return name, password


def app_complaint(token: str | None) -> str | None:
    """What GitHub would say against an App's JSON web token; its signature is not looked at."""
    try:
        claims = jwt.decode(token or "", options={"verify_signature": False})
        expires, issued = float(claims["exp"]), float(claims["iat"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        return "A JSON web token could not be decoded"
    now = time.time()
    if expires < now:
        return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"  # noqa: E501 - GitHub's own sentence
    if expires > now + APP_LIFETIME + CLOCK_SKEW:
        return "'Expiration time' claim ('exp') is too far in the future"
    if issued > now + CLOCK_SKEW:
        return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"  # noqa: E501 - GitHub's own sentence
    return None if claims.get("iss") else "'Issuer' claim ('iss') must be an Integer"
