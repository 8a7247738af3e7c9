"""Errors as RFC 9457 problem JSON: what happened, and what to do about it."""

from http import HTTPStatus

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

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


def install(app: Flask) -> None:
    """Make every error of the application a problem."""

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        response = problem(error.code or 500, error.description or "")
        allow = error.get_response().headers.get("Allow")
        if allow:
            response.headers["Allow"] = allow
        return response
