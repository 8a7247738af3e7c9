"""Approving and rejecting over HTTP."""

from flask import Blueprint, Response, abort, current_app, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.server import Approval
from service.access import person
from service.problems import problem
from service.web import Web
from workers.approval import ForbiddenError, Verdict, Vote, admit, candidate
from workers.run import Run

blueprint = Blueprint("approvals", __name__)
CONFLICTS = {
    "not waiting": "The run is not waiting for approval.",
    "voted": "You have said your word on this run already.",
}


class Word(BaseModel):
    """What an approver sends: the commit and the candidate they saw, and a note, all optional."""

    model_config = ConfigDict(extra="forbid", strict=True)

    commit: str | None = None
    sha256: str | None = None
    note: str = Field("", max_length=500)


@blueprint.post("/runs/<run_id>/approve")
def approve(run_id: str) -> Response:
    """Say yes to what waits."""
    return _answer(run_id, "approve")


@blueprint.post("/runs/<run_id>/reject")
def reject(run_id: str) -> Response:
    """Say no to it: the run ends."""
    return _answer(run_id, "reject")


def _answer(run_id: str, verdict: Verdict) -> Response:
    who = person()
    try:
        word = Word.model_validate(request.get_json(silent=True) or {})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return problem(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    origin = f"api {request.remote_addr}"
    decide(run_id, who.name if who else "", verdict, word, origin)
    response = jsonify(state="counted", verdict=verdict)
    response.status_code = 202
    return response


def decide(run_id: str, who: str, verdict: Verdict, word: Word, origin: str) -> None:
    """Count one person's word, wherever it comes from; 403, 404 or 409 when it can't count."""
    web: Web = current_app.extensions["slipway"]
    run = web.ledger.history.run(run_id)
    if run is None:
        abort(404, f"There is no run {run_id[:50]}, or it is no longer kept.")
    rule = _rule(web, run)
    try:
        admit(rule, run.order, who)
    except ForbiddenError as error:
        abort(403, str(error))
    _same(web, run, word)
    vote = Vote(who=who, verdict=verdict, at=0, origin=origin, note=word.note)
    answer = web.ledger.vote(run_id, vote, rule.required, "deploy")
    if answer != "counted":
        abort(409, CONFLICTS.get(answer, "The run is gone."))


def _rule(web: Web, run: Run) -> Approval:
    environment = web.operator.environments.get(run.order.environment or "")
    if environment is None or environment.approval is None:
        abort(409, CONFLICTS["not waiting"])
    return environment.approval


def _same(web: Web, run: Run, word: Word) -> None:
    """What is approved is what was seen: the commit, and the hash of all its packages."""
    (packages,) = web.ledger.history.fields(run.id, "packages")
    seen = ((word.commit, run.order.commit), (word.sha256, candidate(packages or "{}")))
    if any(said is not None and said != true for said, true in seen):
        abort(409, "That is not what waits here: another commit or other packages. Look again.")
