"""Redirects to pages of ours."""

from flask import redirect
from werkzeug.wrappers import Response

from service.web import Web


def to(path: str) -> Response:
    """Lead to a page by its path, which begins with a slash; it is fetched with GET."""
    return redirect(f"{Web.current().root}{path}", 303)
