"""Errors as RFC 9457 problem JSON: what happened, and what to do about it."""

from collections.abc import Callable
from http import HTTPStatus

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from service.access import written_down
from service.actions.refusal import Refused

PROBLEM = "application/problem+json"


def described(status: int, detail: str) -> dict[str, object]:
    """One error's members."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def problem(status: int, detail: str, **headers: str) -> Response:
    """One error as `application/problem+json`."""
    response = jsonify(described(status, detail))
    response.status_code = status
    response.content_type = PROBLEM
    response.headers.update(headers)
    return response


def _reads_pages() -> bool:
    """Whether a browser asks: it names HTML, which scripts that take anything don't."""
    accepts = request.accept_mimetypes
    html = accepts["text/html"]
    return "text/html" in accepts.values() and html >= accepts["application/json"]


def install(app: Flask, page: Callable[[HTTPException], Response] | None = None) -> None:
    """Make every error of the application a problem; a browser at no address gets a `page`."""

    @app.errorhandler(Refused)
    def _refused(error: Refused) -> Response:
        return _http(written_down(error))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        if page and request.url_rule is None and _reads_pages():
            return page(error)
        response = problem(error.code or 500, error.description or "")
        told = error.get_response().headers
        kept = ("Allow", "Retry-After")
        response.headers.update({name: told[name] for name in kept if name in told})
        return response
