"""Locking and unlocking an environment over HTTP."""

from typing import Any

from flask import Blueprint, Response, jsonify

from service.access import asker
from service.actions.lock import Locking, Unlocking, close, reopen
from service.actions.operated import operated
from service.api.body import read
from service.api.present import shown
from service.web import Web
from workers.ledger.model.run import Run

blueprint = Blueprint("locks", __name__)


@blueprint.post("/environments/<name>/lock")
def lock(name: str) -> Response:
    """Have nothing released to an environment."""
    operated(Web.current(), name, asker())
    closed = close(Web.current(), name, asker(), read(Locking))
    return jsonify(environment=name, locked=shown(closed))


@blueprint.post("/environments/<name>/unlock")
def unlock(name: str) -> Response:
    """Let an environment's held runs go on, or end them."""
    operated(Web.current(), name, asker())
    asked, web = read(Unlocking), Web.current()
    was = reopen(web, name, asker(), asked)
    return jsonify(
        environment=name,
        locked=None,
        was=shown(was.lock),
        released=asked.release,
        runs=[_offered(run, web.url) for run in was.runs],
    )


def _offered(run: Run, url: str) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "repository": run.order.repository,
        "commit": run.order.commit,
        "url": f"{url}/runs/{run.id}",
    }
