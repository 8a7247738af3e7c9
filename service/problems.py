"""Errors as RFC 9457 problem JSON: what happened, and what to do about it."""

from http import HTTPStatus

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException


def problem(status: int, detail: str, **headers: str) -> Response:
    """One error as `application/problem+json`."""
    response = jsonify(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail
    )
    response.status_code = status
    response.content_type = "application/problem+json"
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
