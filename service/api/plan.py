"""An environment as it is: what is live, what its branches would make live, what has drifted."""

from time import monotonic, sleep
from typing import Any, Literal

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from config.server import Environment
from config.units import moment
from service.actions import operated
from service.api import body, environments
from service.api.next_release import Branches
from service.api.present import commits
from service.problems import problem
from service.web import Web
from workers.ledger import messages
from workers.ledger.keys import RELEASES_KEPT
from workers.ledger.model.observation import Observation, Seen
from workers.ledger.model.released import Released
from workers.ledger.observations import Observations
from workers.ledger.unpruned import UnprunedBook

blueprint = Blueprint("plan", __name__)
LOOK_SECONDS = 3.0


class Asked(BaseModel):
    """Whether a worker should look at AWS and GitHub first."""

    model_config = ConfigDict(extra="forbid")

    refresh: Literal["0", "1"] = Field("0", description="1: look anew before answering")


@blueprint.get("/environments/<name>")
def one(name: str) -> Response:
    """One environment: what is live in it, what would be next, and what differs from the record."""
    web = Web.current()
    environment = operated.environment(web, name)
    asked = body.query(Asked)
    observations = Observations(web.ledger.redis)
    since = observations.ask(name, messages.REPORTS_ON) if asked.refresh == "1" else 0
    found = _answered(observations, name, since)
    if since and found is None:
        return problem(503, "A worker is looking; ask again.", **{"Retry-After": "2"})
    refreshing = found is not None and found.at < since
    return jsonify(shown(web, environment, found) | {"refreshing": refreshing})


def _answered(observations: Observations, name: str, since: int) -> Observation | None:
    """A look that began at `since` or later; the latest one when none comes in time."""
    deadline = monotonic() + LOOK_SECONDS
    while True:
        found = observations.latest(name)
        if (found and found.at >= since) or not since or monotonic() > deadline:
            return found
        sleep(0.05)


def shown(web: Web, environment: Environment, found: Observation | None) -> dict[str, Any]:
    """An environment as the API shows it, beside what the list says of it."""
    branches = Branches(web, environment.name, found)
    storage = found.storage if found else None
    return {
        **environments.shown(environment, web.ledger.locks.of(environment.name)),
        "drift": environment.drift,
        "keep_versions": environment.keep_versions,
        "observed_at": moment(found.at) if found else None,
        "age_seconds": round((web.ledger.now() - found.at) / 1000, 1) if found else None,
        "functions": [
            _function(web, branches, *each) for each in _functions(web, environment, found)
        ],
        "branches_at": branches.shown(),
        "code_storage": storage
        and {
            "used": storage.used,
            "limit": storage.limit,
            "percent": round(100 * storage.used / storage.limit, 1) if storage.limit else None,
            "region": found.region if found else "",
            "filling": storage.filling,
        },
        "code_storage_fault": found.storage_fault if found else None,
        "unpruned": [
            one.model_dump() | {"at": moment(one.at)}
            for one in UnprunedBook(web.ledger.redis).of(environment.name)
        ],
    }


def _functions(
    web: Web, environment: Environment, found: Observation | None
) -> list[tuple[Released, Seen | None]]:
    """The latest release of each function, with what was seen of it since."""
    latest: dict[str, Released] = {}
    for row in web.ledger.history.released(environment.name, 0, RELEASES_KEPT):
        if row.function and not row.event:
            latest.setdefault(row.function, row)
    seen = {one.function: one for one in found.functions} if found else {}
    # One that was not seen was taken out of the operator's file, or out of its repository.
    gone = [
        name for name in latest if found and name not in seen and (latest[name].at or 0) < found.at
    ]
    return [
        (latest[name], _since(latest[name], seen.get(name)))
        for name in sorted(latest)
        if name not in gone
    ]


def _since(row: Released, seen: Seen | None) -> Seen | None:
    """What was seen, unless the function was released after that."""
    if seen is None or (seen.record.run, seen.record.version) != (row.run, row.version):
        return None
    return seen


def _function(web: Web, branches: Branches, row: Released, seen: Seen | None) -> dict[str, Any]:
    return {
        "function": row.function,
        "repository": row.repository,
        "record": {
            "version": row.version,
            "commit": row.commit,
            **commits(row),
            "sha256": row.sha256,
            "since": moment(row.at),
            "run_id": row.run,
            "run_url": f"{web.url}/runs/{row.run}",
        },
        "live": seen.live.model_dump() if seen and seen.live else None,
        "releasing": seen.releasing if seen else None,
        "fault": seen.fault if seen else None,
        "observed": seen is not None and seen.certain,
        "differs": [one.model_dump() for one in seen.differs] if seen else [],
        "not_repaired": seen.unrepaired if seen else None,
        "next": branches.next_of(row),
    }
