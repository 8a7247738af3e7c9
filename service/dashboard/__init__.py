"""The web pages: rendered here, useful without JavaScript, private to people with a token."""

from contextlib import suppress
from typing import TypeVar

import structlog
from flask import Blueprint, redirect, render_template, request, url_for
from flask import Response as Flasks
from redis.exceptions import RedisError
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.wrappers import Response

from config import units
from service.access import person, written_down
from service.actions.refusal import Refused
from service.dashboard import ansi, approval, assets, environments, forms, runs, signing, words

blueprint = Blueprint("dashboard", __name__, template_folder="templates")
log = structlog.get_logger()
R = TypeVar("R", bound=Response)

OPEN = {"dashboard.assets.file", "dashboard.signing.sign_in", "dashboard.signing.ask"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with it, browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
}

for part in (assets, signing, runs, approval, environments):
    blueprint.register_blueprint(part.blueprint)

blueprint.record(lambda state: state.app.jinja_env.globals.update(words=words))
for shown in (units.ago, words.duration, units.exact, units.iso, units.left):
    blueprint.add_app_template_filter(shown, shown.__name__)
blueprint.add_app_template_filter(ansi.clean, "clean")
blueprint.add_app_template_global(assets.address, "asset")
blueprint.add_app_template_global(forms.token, "csrf_token")
blueprint.add_app_template_global(person, "person")


@blueprint.before_request
def _known() -> Response | None:
    if person() is None and request.endpoint not in OPEN:
        return redirect(url_for("dashboard.signing.ask", next=signing.here()), 303)
    if request.method == "POST" and not forms.genuine():
        raise Forbidden("This form is too old, or was not sent from this site.")
    return None


@blueprint.after_request
def _guarded(response: R) -> R:
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@blueprint.errorhandler(HTTPException)
def _http(error: HTTPException) -> tuple[str, int, dict[str, str]]:
    return page_of(error)


@blueprint.errorhandler(Refused)
def _refused(error: Refused) -> tuple[str, int, dict[str, str]]:
    return page_of(written_down(error))


def page_of(error: HTTPException) -> tuple[str, int, dict[str, str]]:
    """An error as a page, also where nobody can be known now."""
    with suppress(RedisError, HTTPException):
        person()
    code = error.code or 500
    again = error.get_response().headers.get("Retry-After")
    headers = {"Retry-After": again} if again else {}
    return render_template("error.html", code=code, detail=error.description), code, headers


def nowhere(error: HTTPException) -> Flasks:
    """The page for an address that there is not."""
    text, code, headers = page_of(error)
    response = _guarded(Flasks(text, code, headers))
    allow = error.get_response().headers.get("Allow")
    if allow:
        response.headers["Allow"] = allow
    return response


@blueprint.errorhandler(RedisError)
def _ledger(error: RedisError) -> tuple[str, int, dict[str, str]]:
    log.warning("ledger_unavailable", error=str(error))
    return render_template("error.html", code=503, detail=None), 503, {"Retry-After": "5"}
