"""Queued tasks over HTTP."""

from flask import Blueprint, Response, jsonify

from service.api import present
from service.problems import problem
from service.web import Web

blueprint = Blueprint("tasks", __name__)


@blueprint.get("/tasks/<task_id>")
def one(task_id: str) -> Response:
    """One queued task as the ledger saw it; a run's first task bears the run's id."""
    web = Web.current()
    fields = web.ledger.history.task(task_id)
    if fields is None:
        return problem(404, f"There is no task {task_id[:50]}, or it is no longer kept.")
    run = web.ledger.history.run(fields.get("run", ""))
    return jsonify(present.task(task_id, fields, run, web.url))
