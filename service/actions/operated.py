"""Who may change an environment by hand, and what its lock says."""

from typing import Any

from flask import abort

from config.server import Environment
from service.access import refused
from service.api.present import time
from service.web import Web
from workers.ledger.locks import Lock


def environment(web: Web, name: str) -> Environment:
    """An environment of the operator's file; aborts with 404 if there is none."""
    found = web.operator.environments.get(name)
    if found is None:
        known = ", ".join(web.operator.environments)
        abort(404, f"There is no environment {name[:50]}; there are: {known}.")
    return found


def operated(web: Web, name: str, who: str) -> Environment:
    """An environment, for somebody who may change it; aborts with 404 or 403."""
    found = environment(web, name)
    why_not = objection(found, who)
    if why_not:
        refused(f"operate {name}", why_not, who)
        abort(403, why_not)
    return found


def objection(place: Environment, who: str) -> str | None:
    """Why somebody may not change an environment by hand, or None."""
    if place.may_operate(who):
        return None
    names = ", ".join(place.operators)
    return f"{who} may not roll back, lock or unlock {place.name}; ask one of: {names}."


def shown(lock: Lock | None) -> dict[str, Any] | None:
    """A lock as the API shows it."""
    if lock is None:
        return None
    return {
        "kind": lock.kind,
        "by": lock.by,
        "reason": lock.reason,
        "at": time(lock.at),
        "expires_at": time(lock.expires_at),
        "run_id": lock.run,
        "commit": lock.commit,
    }
