"""What the API's routes share: the stand-in behind them, its errors and its pages."""

from collections.abc import Sequence
from typing import Any

from flask import Response, current_app, g, jsonify, request

from tests.stand_ins.github.git import Git
from tests.stand_ins.github.hub import Hub
from tests.stand_ins.github.model import Repository, StandInError
from tests.stand_ins.github.payloads import JSON, Links

EXTENSION = "github_stand_in"
DOCUMENTATION = "https://docs.github.com/rest"
MOST_PER_PAGE = 100


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, message: str, errors: Sequence[JSON] = (), **headers: str
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.errors, self.headers = status, message, errors, headers


def answer_error(error: ApiError) -> Response:
    """An error as GitHub writes it."""
    body: JSON = {"message": error.message}
    if error.errors:
        body["errors"] = list(error.errors)
    response = jsonify(body | {"documentation_url": DOCUMENTATION, "status": str(error.status)})
    response.status_code = error.status
    response.headers.extend(error.headers)
    return response


def invalid(resource: str, field: str, message: str, code: str = "custom") -> ApiError:
    """A 422 about one field."""
    problem = {"resource": resource, "code": code, "field": field, "message": message}
    return ApiError(422, "Validation Failed", [problem])


def hub() -> Hub:
    """The stand-in that answers this request."""
    found: Hub = current_app.extensions[EXTENSION]
    return found


def links() -> Links:
    """Where the asker found the API, with or without `/api/v3`, and the web pages."""
    return Links(request.url_root.rstrip("/"), request.host_url.rstrip("/"))


def repository(owner: str, name: str) -> tuple[Repository, Git]:
    """The repository in the path, or 404."""
    full_name = f"{owner}/{name.removesuffix('.git')}"
    try:
        repo = hub().repository(full_name)
    except StandInError:
        raise ApiError(404, "Not Found") from None
    if repo.private and g.complaint:
        raise ApiError(404, "Not Found")
    return repo, hub().git(full_name)


def body() -> JSON:
    """The request's JSON object; an absent one is empty."""
    if not request.get_data():
        return {}
    read = request.get_json(force=True, silent=True)
    if read is None:
        raise ApiError(400, "Problems parsing JSON")
    if not isinstance(read, dict):
        raise ApiError(400, "Body should be a JSON object")
    return read


def paged(rows: Sequence[Any], form: Any) -> Response:
    """One page of a list, with GitHub's `Link` header; `form` makes JSON of a row."""
    size = min(max(request.args.get("per_page", 30, int), 1), MOST_PER_PAGE)
    number = max(request.args.get("page", 1, int), 1)
    last = max(1, -(-len(rows) // size))
    response = jsonify([form(row) for row in rows[(number - 1) * size : number * size]])
    pages = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number == 1:
        del pages["prev"], pages["first"]
    if number >= last:
        del pages["next"], pages["last"]
    link = [f'<{_here(page=page, per_page=size)}>; rel="{word}"' for word, page in pages.items()]
    if link:
        response.headers["Link"] = ", ".join(link)
    return response


def after_cursor(rows: Sequence[Any], form: Any) -> Response:
    """One page of a list that is walked by a cursor: the id of the last row seen."""
    size = min(max(request.args.get("per_page", 30, int), 1), MOST_PER_PAGE)
    cursor = request.args.get("cursor", type=int)
    left = [row for row in rows if cursor is None or row.id < cursor]
    response = jsonify([form(row) for row in left[:size]])
    if len(left) > size:
        following = _here(cursor=left[size - 1].id, per_page=size)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _here(**arguments: int) -> str:
    changed = request.args.to_dict() | {key: str(value) for key, value in arguments.items()}
    query = "&".join(f"{key}={value}" for key, value in changed.items())
    return f"{request.base_url}?{query}"
