"""Proof that a form came from our own page: a token in the session, and the Origin header."""

import hmac
import secrets
from urllib.parse import urlsplit

from flask import request, session

from service.web import Web

FIELD = "csrf_token"


def token() -> str:
    """The session's token; every form that posts carries it."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def genuine() -> bool:
    """Whether the form of this request is ours."""
    expected = str(session.get("csrf", ""))
    given = request.form.get(FIELD, "")
    same = hmac.compare_digest(expected.encode(), given.encode())
    return bool(expected) and same and _from_here()


def _from_here() -> bool:
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    web = Web.current()
    public = urlsplit(web.url)
    # A proxy may speak HTTPS for us, so the host decides and not the scheme.
    ours = {f"http://{request.host}", f"https://{request.host}"}
    return origin in ours | {f"{public.scheme}://{public.netloc}"}
