"""Environments over HTTP: what there are, and what was released to them."""

from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from config.server import Environment
from config.units import moment
from service.actions import operated
from service.api import body, present
from service.web import Web
from workers.ledger.locks import Lock
from workers.ledger.model.released import Released
from workers.ledger.model.run import Run

blueprint = Blueprint("environments", __name__)
MOST = 200


class Page(BaseModel):
    """The query of an environment's releases."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=MOST)
    offset: int = Field(0, ge=0, lt=2**31)


@blueprint.get("/environments")
def every() -> Response:
    """The operator's environments."""
    places = Web.current().operator.environments
    locks = Web.current().ledger.locks.every(places)
    found = [shown(one, locks[one.name]) for one in places.values()]
    return jsonify(environments=found)


def shown(one: Environment, lock: Lock | None) -> dict[str, Any]:
    """An environment as the list shows it."""
    return {
        "name": one.name,
        "branches": list(one.branch),
        "alias": one.alias,
        "approval": one.approval is not None,
        "locked": present.shown(lock),
        "held": [run.id for run in held(one.name)],
    }


def held(name: str) -> list[Run]:
    """The runs that wait for an environment to be unlocked."""
    ledger = Web.current().ledger
    found = (ledger.history.run(run_id) for run_id in ledger.locks.held(name))
    return [run for run in found if run and run.held]


@blueprint.get("/environments/<name>/releases")
def releases(name: str) -> Response:
    """What was made live in an environment, newest first; `?limit=` and `?offset=` page it."""
    operated.environment(Web.current(), name)
    page = body.query(Page)
    rows = Web.current().ledger.history.released(name, page.offset, page.limit)
    return jsonify(releases=[_row(row) for row in rows])


def _row(row: Released) -> dict[str, Any]:
    """A release as the API shows it: without what only a rollback to it needs."""
    names = {"function", "version", "alias", "sha256", "commit", "repository", "run"}
    return {
        **row.model_dump(include=names),
        **present.commits(row),
        "run_id": row.run,
        "site": row.site.bucket if row.site else None,
        "rollback": row.rollback.model_dump(by_alias=True) if row.rollback else None,
        "pruned": row.pruned,
        "event": row.event,
        "at": moment(row.at),
    }
