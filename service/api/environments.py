"""Environments over HTTP: what there are, and what was released to them."""

from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request

from config.server import Environment
from service.api import present
from service.web import Web

blueprint = Blueprint("environments", __name__)
MOST = 200


def _web() -> Web:
    web: Web = current_app.extensions["slipway"]
    return web


@blueprint.get("/environments")
def every() -> Response:
    """The operator's environments."""
    found = [_environment(one) for one in _web().operator.environments.values()]
    return jsonify(environments=found)


def _environment(one: Environment) -> dict[str, Any]:
    return {
        "name": one.name,
        "branches": list(one.branch),
        "alias": one.alias,
        "approval": one.approval is not None,
    }


@blueprint.get("/environments/<name>/releases")
def releases(name: str) -> Response:
    """What was made live in an environment, newest first; `?limit=` and `?offset=` page it."""
    if name not in _web().operator.environments:
        abort(404, f"There is no environment {name[:50]}.")
    limit = request.args.get("limit", 50, type=int)
    offset = request.args.get("offset", 0, type=int)
    if not 1 <= limit <= MOST or offset < 0:
        abort(400, f"limit: expected 1 to {MOST}; offset: expected 0 or more")
    rows = _web().ledger.history.released(name, offset, limit)
    return jsonify(releases=[row | {"at": present.time(row["at"])} for row in rows])
