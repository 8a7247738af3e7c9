"""The web application: routes, and what happens around each request."""

import contextlib
import socket
import time
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from tests.stand_ins.github import control, git_http, journal, rest, rest_app, rest_hooks
from tests.stand_ins.github.access import token_in
from tests.stand_ins.github.faults import Fault
from tests.stand_ins.github.hub import Hub
from tests.stand_ins.github.web import EXTENSION, ApiError, answer_error, hub

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

API_PREFIX = "/api/v3"
LIMITED = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
MESSAGES = {403: LIMITED, 404: "Not Found", 429: LIMITED}


def create_app(stand_in: Hub) -> Flask:
    """The application in front of one stand-in."""
    app = Flask(__name__)
    app.extensions[EXTENSION] = stand_in
    for module in (rest, rest_hooks, rest_app, git_http, control):
        app.register_blueprint(module.routes)
    app.register_error_handler(ApiError, answer_error)
    app.register_error_handler(HTTPException, _not_found)
    app.before_request(_before)
    app.after_request(_after)
    app.wsgi_app = _Prefix(app.wsgi_app)  # type: ignore[method-assign]
    return app


class _Prefix:
    """Serves the API under `/api/v3` too, where GitHub Enterprise has it."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == API_PREFIX or path.startswith(f"{API_PREFIX}/"):
            environ["SCRIPT_NAME"] = API_PREFIX
            environ["PATH_INFO"] = path.removeprefix(API_PREFIX)
        return self.app(environ, start_response)


def _not_found(error: HTTPException) -> Response:
    return answer_error(ApiError(error.code or 500, MESSAGES.get(error.code or 0, error.name)))


def _before() -> AnyResponse | None:
    g.fault = None
    g.complaint = hub().complaint(_token(), app=_for_app())
    if request.blueprint == "control":
        if g.complaint and request.endpoint != "control.health":
            raise ApiError(401, g.complaint)
        return None
    query = f"?{request.query_string.decode()}" if request.query_string else ""
    g.fault = hub().strike(request.method, request.path + query)
    if g.fault and not g.fault.after:
        spoiled = _spoiled(g.fault)
        if spoiled:
            return spoiled
    if g.complaint and request.blueprint in {"rest", "hooks", "app"}:
        raise ApiError(401, g.complaint)
    return None


def _token() -> str | None:
    return token_in(request.headers.get("Authorization", ""))


def _for_app() -> bool:
    return request.path.endswith("/installation") or request.path.split("/")[1] == "app"


def _after(response: Response) -> AnyResponse:
    answer: AnyResponse = response
    if g.fault and g.fault.after:
        answer = _spoiled(g.fault) or response
    if request.blueprint == "control":
        return answer
    if request.blueprint != "git":
        _add_headers(answer)
    hub().journal.append(journal.record(request, answer))  # type: ignore[arg-type]
    return answer


def _add_headers(answer: AnyResponse) -> None:
    for name, value in rest_app.rate().items():
        answer.headers.setdefault(f"X-RateLimit-{name.title()}", str(value))
    answer.headers.setdefault("X-RateLimit-Resource", "core")
    answer.headers["X-GitHub-Request-Id"] = uuid.uuid4().hex.upper()
    if request.method == "GET" and answer.status_code == 200:
        answer.add_etag()
        answer.make_conditional(request)


def _spoiled(fault: Fault) -> AnyResponse | None:
    time.sleep(fault.delay)
    if fault.drop_connection:
        with contextlib.suppress(OSError):
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return Response(status=502)
    if fault.status is None:
        return None
    if isinstance(fault.body, str | bytes):
        response = Response(fault.body, mimetype="application/json")
    else:
        message = MESSAGES.get(fault.status, "Server Error")
        response = jsonify({"message": message} if fault.body is None else fault.body)
    response.status_code = fault.status
    response.headers.update(fault.headers)
    return response
