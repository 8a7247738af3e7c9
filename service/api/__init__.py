"""The JSON API under /api/v1."""

import structlog
from flask import Blueprint, Response, request
from redis.exceptions import RedisError

from service.access import bearer, person
from service.api import (
    approvals,
    environments,
    events,
    locks,
    owners,
    plan,
    reports,
    rollback,
    runs,
    tasks,
)
from service.problems import problem
from workers.ledger import NotDurableError

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
log = structlog.get_logger()
SAFE = {"GET", "HEAD", "OPTIONS"}

PARTS = (
    *(runs, events, reports, approvals, tasks),
    *(environments, plan, locks, rollback, owners),
)
for part in PARTS:
    blueprint.register_blueprint(part.blueprint)


@blueprint.before_request
def _known() -> Response | None:
    # A cookie comes along wherever a link leads from; only a token says that the sender means it.
    if (person() if request.method in SAFE else bearer()) is not None:
        return None
    return problem(
        401,
        "Send `Authorization: Bearer TOKEN` with a token of SLIPWAY_API_TOKENS.",
        **{"WWW-Authenticate": 'Bearer realm="slipway"'},
    )


@blueprint.errorhandler(NotDurableError)
@blueprint.errorhandler(RedisError)
def _ledger(error: Exception) -> Response:
    log.warning("ledger_unavailable", error=str(error))
    return problem(503, "The ledger is out of reach; ask again.", **{"Retry-After": "5"})
