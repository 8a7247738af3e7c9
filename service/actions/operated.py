"""Who may change an environment by hand, and what its lock says."""

from config.server import Environment
from service.actions.refusal import Refused
from service.web import Web


def environment(web: Web, name: str) -> Environment:
    """An environment of the operator's file; refused with 404 if there is none."""
    found = web.operator.environments.get(name)
    if found is None:
        known = ", ".join(web.operator.environments)
        raise Refused(404, f"There is no environment {name[:50]}; there are: {known}.")
    return found


def operated(web: Web, name: str, who: str) -> Environment:
    """An environment, for somebody who may change it; refused with 404 or 403."""
    found = environment(web, name)
    why_not = objection(found, who)
    if why_not:
        raise Refused(403, why_not, what=f"operate {name}", who=who)
    return found


def objection(place: Environment, who: str) -> str | None:
    """Why somebody may not change an environment by hand, or None."""
    if place.may_operate(who):
        return None
    names = ", ".join(place.operators)
    return f"{who} may not roll back, lock or unlock {place.name}; ask one of: {names}."
