"""Moving what one repository releases to another one, by name."""

from typing import Annotated, Any

import structlog
from flask import Blueprint, Response, abort, jsonify
from pydantic import BaseModel, ConfigDict, Field

from service.access import asker
from service.actions import operated
from service.api.body import read
from service.web import Web
from workers.ledger.owners import Owners, Refused

blueprint = Blueprint("owners", __name__)
log = structlog.get_logger()


class Taking(BaseModel):
    """Which repository, and in which environment; in all of them if none is named."""

    model_config = ConfigDict(extra="forbid")

    repository: Annotated[str, Field(max_length=200, pattern=r"^[^/\s]+/[^/\s]+$")]
    environment: Annotated[str, Field(max_length=128)] | None = None


@blueprint.post("/releases/take-over")
def take_over() -> Response:
    """Let a repository have what it was refused, or what it is refused within a day."""
    asked = read(Taking)
    return jsonify(move(Web.current(), asker(), asked))


def move(web: Web, who: str, asked: Taking) -> dict[str, Any]:
    """Move what a repository was refused to it; aborts with 400, 403 or 404."""
    if web.operator.repository(asked.repository) is None:
        abort(404, f"{asked.repository} is not in the operator's file.")
    if asked.environment is not None:
        operated.operated(web, asked.environment, who)
    owners = Owners(web.ledger.redis)
    wanted = {
        place: one
        for place, one in owners.refused(asked.repository).items()
        if asked.environment in (None, one.environment)
    }
    _permitted(web, who, wanted)
    moved = owners.move(asked.repository, wanted, who)
    if not moved and asked.environment is None:
        owners.grant(asked.repository, who)
    taken = [_shown(one, moved[place]) for place, one in wanted.items()]
    log.warning("releases_taken_over", repository=asked.repository, by=who, places=list(moved))
    return {"repository": asked.repository, "by": who, "taken": taken}


def _permitted(web: Web, who: str, wanted: dict[str, Refused]) -> None:
    """See that somebody may operate all that is moved, and everything where it is not known."""
    names = {one.environment for one in wanted.values()} or set(web.operator.environments)
    for name in sorted(names & set(web.operator.environments)):
        operated.operated(web, name, who)


def _shown(one: Refused, before: str | None) -> dict[str, Any]:
    return {
        "environment": one.environment,
        "name": one.words,
        "repository_id": one.repository_id,
        "from": before,
        "refused_run_id": one.run,
    }
