"""Signing in with a token, and out again."""

import re

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from service import access
from service.dashboard import going
from service.web import Web

blueprint = Blueprint("signing", __name__)

START = "/runs"
# A path of this site and nothing else: `//host`, `/\host` and line ends don't fit.
_PATH = re.compile(r"/[A-Za-z0-9][A-Za-z0-9._~/?&=%+:@,;!*()-]*")


def here() -> str:
    """Where to come back to after signing in."""
    if request.method not in ("GET", "HEAD"):
        return START
    query = request.query_string.decode("latin-1")
    return _safe(f"{request.path}?{query}" if query else request.path)


def _safe(path: str) -> str:
    return path if _PATH.fullmatch(path) and len(path) < 1000 else START  # noqa: PLR2004 - a URL's length


@blueprint.get("/sign-in")
def ask() -> str | Response:
    """The form."""
    wanted = _safe(request.args.get("next", START))
    return going.to(wanted) if access.person() else _form(wanted)


@blueprint.post("/sign-in")
def sign_in() -> Response | tuple[str, int]:
    """Open a session for the token's owner."""
    wanted = _safe(request.form.get("next", START))
    if access.sign_in(request.form.get("token", "").strip()) is None:
        return _form(wanted, wrong=True), 401
    return going.to(wanted)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session."""
    access.sign_out()
    return going.to("/sign-in")


def _form(wanted: str, *, wrong: bool = False) -> str:
    web = Web.current()
    tokens = bool(web.settings.api_tokens)
    return render_template("sign-in.html", next=wanted, wrong=wrong, tokens=tokens)
