"""Who may read: bearers of an API token, and people who signed in with one."""

import hashlib
import hmac
from dataclasses import dataclass

import structlog
from flask import current_app, g, request, session
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException, TooManyRequests, default_exceptions

from config.settings.secret_key import cookie_key
from service.access import guessing
from service.actions.refusal import Refused
from service.web import Web
from workers.ledger.sessions import FORM, Session

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever the token belongs to."""

    name: str


def person() -> Person | None:
    """Who asks, or None; the answer is kept for the request."""
    if "person" not in g:
        # What fails now must not fail again in the page that says so.
        g.person = None
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
    """The owner of the request's bearer token, or None.

    Aborts with 429 where too many wrong ones came from the same address.
    """
    if "bearer" not in g:
        g.bearer = _bearer()
    found: Person | None = g.bearer
    return found


def _bearer() -> Person | None:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not given.strip():
        return None
    owner = whose(given.strip())
    guessing.judge(Web.current(), address(), owner.name if owner else None)
    return owner


def address() -> str:
    """The address of the client, as far as it is known."""
    return request.remote_addr or "unknown"


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
    """Open a session for the owner of a token, or None if there is none.

    Aborts with 429 where too many wrong ones came, from one address or from all.
    """
    web, sessions = Web.current(), Web.current().ledger.sessions
    wait = sessions.wait(FORM, address())
    if wait:
        raise TooManyRequests(
            "Too many wrong tokens were tried. Nothing is looked at for some minutes; try again "
            "then, or ask whoever operates Slipway for your token.",
            retry_after=wait,
        )
    owner = whose(given)
    if owner is None:
        guessing.wrong(web, FORM, address())
        return None
    sign_out()
    session.clear()
    kept = Session(owner.name, _print(_tokens()[owner.name]))
    session["sid"] = sessions.open(kept, address())
    record("signed_in", owner.name)
    return owner


def sign_out() -> None:
    """End the session, also for whoever has copied its cookie."""
    who = _signed_in()
    if who is not None:
        Web.current().ledger.sessions.end(str(session["sid"]))
        record("signed_out", who.name)
    session.clear()


def _signed_in() -> Person | None:
    word = session.get("sid")
    kept = Web.current().ledger.sessions.find(str(word)) if word else None
    token = _tokens().get(kept.name) if kept else None
    if kept and token and hmac.compare_digest(_print(token), kept.token_print):
        return Person(kept.name)
    return None


def written_down(refused: Refused) -> HTTPException:
    """The answer of HTTP to a refusal; that somebody was not allowed to is written down."""
    if refused.what:
        record("refused", refused.who, what=refused.what, why=refused.sentence, run=refused.run)
    kind = default_exceptions.get(refused.status, HTTPException)
    answer = kind(refused.sentence)
    answer.code = refused.status
    return answer


def record(event: str, who: str, **more: str) -> None:
    """Write down who did what, in the log and in the ledger; never the reason of a failure."""
    log.info(event, by=who, client=address(), **more)
    try:
        Web.current().ledger.sessions.record(event, who, address(), **more)
    except RedisError as error:
        log.warning("ledger_unavailable", error=str(error))


def secret_key(web: Web) -> bytes:
    """The key of session cookies: SLIPWAY_SECRET_KEY, or the one that was made in its place."""
    return hashlib.sha256(f"session cookie\0{cookie_key(web.settings)}".encode()).digest()
