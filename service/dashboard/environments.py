"""The pages of environments: what they run, who has locked them, and the way back."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from flask import Blueprint, render_template, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, Conflict
from werkzeug.wrappers import Response

from config.server import Environment
from config.values import first
from service.access import asker
from service.actions import operated
from service.actions.lock import Locking, Unlocking, close, reopen
from service.actions.rollback import Wanted, back
from service.api.environments import held
from service.dashboard import going
from service.web import Web
from workers.ledger.observations import Observations
from workers.ledger.unpruned import UnprunedBook

blueprint = Blueprint("environments", __name__)

M = TypeVar("M", bound=BaseModel)
ROWS = 400
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Past:
    """What one run released; `functions` are pairs of a name and a version.

    `shared` are those whose version stands for several commits, with these.
    """

    run: str
    at: int
    commit: str
    repository: str
    functions: tuple[tuple[str, str], ...]
    site: str | None
    rollback: dict[str, Any] | None
    event: str | None = None
    shared: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


@blueprint.get("/environments")
def every() -> str:
    """All environments: open or not, and what each runs."""
    web = Web.current()
    places = web.operator.environments
    locks = web.ledger.locks.every(places)
    seen = Observations(web.ledger.redis).every(places)
    rows = [
        (one, locks[one.name], _live(web, one.name), held(one.name), seen[one.name])
        for one in places.values()
    ]
    unpruned = UnprunedBook(web.ledger.redis).every(places)
    return render_template("environments.html", rows=rows, unpruned=unpruned)


@blueprint.get("/environments/<name>")
def one(name: str) -> str:
    """One environment, and what may be done with it."""
    web = Web.current()
    place = operated.environment(web, name)
    pasts = list(_pasts(web, name))
    return render_template(
        "environment.html",
        place=place,
        lock=web.ledger.locks.of(name),
        held=held(name),
        found=Observations(web.ledger.redis).latest(name),
        unpruned=UnprunedBook(web.ledger.redis).of(name),
        pasts=pasts[:SHOWN],
        choices=_choices(pasts),
        functions=sorted({function for past in pasts for function, _ in past.functions}),
        objection=operated.objection(place, asker()),
    )


def _pasts(web: Web, name: str) -> Iterator[Past]:
    rows = web.ledger.history.released(name, 0, ROWS)
    for (run, event), group in groupby(rows, key=lambda row: (str(row.run), row.event)):
        parts = list(group)
        sites = (part.site.bucket for part in parts if part.site)
        pairs = [(part.function, part.version or "") for part in parts if part.function]
        back = parts[0].rollback
        yield Past(
            run=run,
            at=parts[0].at or 0,
            commit=str(parts[0].commit),
            repository=str(parts[0].repository),
            functions=tuple(sorted(pairs)),
            site=next(sites, None),
            rollback=back.model_dump(by_alias=True) if back else None,
            event=event,
            shared=tuple(
                (part.function or "", part.version or "", part.commits)
                for part in parts
                if part.commits
            ),
        )


def _live(web: Web, name: str) -> list[Past]:
    """The newest release of each repository."""
    newest: dict[str, Past] = {}
    for past in (past for past in _pasts(web, name) if past.event is None):
        newest.setdefault(past.repository, past)
    return list(newest.values())


def _choices(pasts: list[Past]) -> list[Past]:
    """The commits that one may go back to, each once; the one that was released last is none."""
    commits: dict[str, Past] = {}
    for past in pasts[1:]:
        if past.commit != pasts[0].commit:
            commits.setdefault(past.commit, past)
    return list(commits.values())[:SHOWN]


@blueprint.post("/environments/<name>/rollback")
def rollback(name: str) -> Response:
    """Go back to a commit; leads to the page of its run."""
    place = operated.operated(Web.current(), name, asker())
    run = back(Web.current(), place.name, asker(), _form(Wanted, "to", "function", "reason"))
    return going.to(f"/runs/{run.id}")


@blueprint.post("/environments/<name>/lock")
def lock(name: str) -> Response:
    """Have nothing released."""
    place = operated.operated(Web.current(), name, asker())
    close(Web.current(), place.name, asker(), _form(Locking, "reason", "expires_in"))
    return _back_to(place)


@blueprint.post("/environments/<name>/unlock")
def unlock(name: str) -> Response:
    """Let what was held go live, or end it."""
    place = operated.operated(Web.current(), name, asker())
    there = Web.current().ledger.locks.of(name)
    if there and str(there.at) != request.form.get("seen"):
        raise Conflict(f"{there.told(name)}: that is not the lock you saw. Look again.")
    wanted = _form(Unlocking, "reason").model_copy(update={"release": "end" not in request.form})
    reopen(Web.current(), place.name, asker(), wanted)
    return _back_to(place)


def _back_to(place: Environment) -> Response:
    return going.to(f"/environments/{place.name}")


def _form(model: type[M], *names: str) -> M:
    """The fields of a form that are filled in."""
    given = {name: request.form.get(name, "").strip() for name in names}
    try:
        return model.model_validate({name: text for name, text in given.items() if text})
    except ValidationError as error:
        raise BadRequest(first(error)) from None
