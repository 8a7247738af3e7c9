"""Who may read: bearers of an API token, and people who signed in with one."""

import hashlib
import hmac
from dataclasses import dataclass

from flask import current_app, g, request, session

from service.web import Web


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever the token belongs to."""

    name: str


def person() -> Person | None:
    """Who asks, or None; the answer is kept for the request."""
    if "person" not in g:
        g.person = bearer() or _signed_in()
    found: Person | None = g.person
    return found


def asker() -> str:
    """The name of who asks; empty if nobody knows."""
    who = person()
    return who.name if who else ""


def _tokens() -> dict[str, str]:
    web = Web.current()
    return {name: token.get_secret_value() for name, token in web.settings.api_tokens.items()}


def bearer() -> Person | None:
    """The owner of the request's bearer token, or None."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    return whose(given.strip()) if kind.lower() == "bearer" else None


def whose(given: str) -> Person | None:
    """The owner of a token; every token is compared, each in constant time."""
    offered = given.encode()
    owners = [
        name for name, token in _tokens().items() if hmac.compare_digest(token.encode(), offered)
    ]
    return Person(owners[0]) if owners else None


def _print(token: str) -> str:
    """What a session keeps of a token: enough to end with it, too little to use it."""
    key = current_app.secret_key
    return hmac.digest(key if isinstance(key, bytes) else b"", token.encode(), "sha256").hex()


def sign_in(given: str) -> Person | None:
    """Open a session for the owner of a token, or None if there is none."""
    owner = whose(given)
    if owner is not None:
        session.clear()
        session["name"], session["print"] = owner.name, _print(given)
    return owner


def sign_out() -> None:
    """End the session."""
    session.clear()


def _signed_in() -> Person | None:
    name = session.get("name", "")
    token = _tokens().get(name)
    if token and hmac.compare_digest(_print(token), str(session.get("print", ""))):
        return Person(name)
    return None


def secret_key(web: Web) -> bytes:
    """The key of session cookies: the same in each process, new when a secret is changed."""
    parts = sorted((*web.webhook_secrets, *web.settings.secrets()))
    return hashlib.sha256("\0".join(("session cookie", *parts)).encode()).digest()
