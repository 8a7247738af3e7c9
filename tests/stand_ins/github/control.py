"""The helpers over HTTP, for a stand-in that is a process of its own."""

from flask import Blueprint, Response, jsonify

from tests.stand_ins.github.model import StandInError
from tests.stand_ins.github.web import ApiError, body, hub
from tests.stand_ins.github.wire import pack, unpack

PREFIX = "/_stand_in"
VALUES = ("deliveries", "faults", "requests")
METHODS = (
    "add_hook",
    "add_status",
    "add_token",
    "clear_faults",
    "close",
    "commit",
    "create_repository",
    "deliver",
    "fail_next",
    "fork",
    "head",
    "hooks_of",
    "latest",
    "merge",
    "open_pull_request",
    "ping",
    "pull_request",
    "pull_requests",
    "push_event",
    "push_payload",
    "redeliver",
    "reopen",
    "repository",
    "revoke_token",
    "set_branch",
    "settle",
    "statuses",
    "struck",
    "synchronize",
    "unstruck",
)

routes = Blueprint("control", __name__, url_prefix=PREFIX)


@routes.get("/health")
def health() -> Response:
    """Whether it answers."""
    return jsonify({"ok": True})


@routes.post("/call")
def call() -> Response:
    """Call one helper: its name, its arguments; a value is a helper without arguments."""
    asked = body()
    name = asked["name"]
    if name in VALUES:
        return jsonify(pack(getattr(hub(), name)))
    if name not in METHODS:
        raise ApiError(404, f"no helper {name}")
    try:
        result = getattr(hub(), name)(*unpack(asked["arguments"]), **unpack(asked["named"]))
    except (StandInError, TypeError, ValueError) as error:
        raise ApiError(400, str(error)) from error
    return jsonify(pack(result))
