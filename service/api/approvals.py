"""Approving and rejecting: one way for a word to count, wherever it comes from."""

from flask import Blueprint, Response, abort, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from config.server import Approval
from service.access import asker, refused
from service.actions import waiting
from service.actions.waiting import Asked
from service.api import body
from service.web import Web
from workers.ledger.model.approval import ForbiddenError, Verdict, Vote, admit, means
from workers.ledger.model.run import Run

blueprint = Blueprint("approvals", __name__)


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
    # Whatever its content type says: a body that goes unread would be a word without bounds.
    word = body.read(Word)
    found = decide(run_id, asker(), verdict, word, f"api {request.remote_addr}")
    response = jsonify(state="counted", verdict=verdict, missing=found.missing)
    response.status_code = 202
    return response


def decide(run_id: str, who: str, verdict: Verdict, word: Word, origin: str) -> Asked:
    """Count one person's word; what is asked after it.

    Aborts with 403, 404 or 409, and a sentence for that person, when the word can't count.
    """
    web = Web.current()
    run = web.ledger.history.run(run_id)
    if run is None:
        abort(404, f"There is no run {run_id[:50]}, or it is no longer kept.")
    rule = _rule(web, run)
    name = _spelled(web, rule, who)
    why_not = objection(rule, run, name)
    if why_not:
        refused(verdict, why_not, who, run.id)
        abort(403, why_not)
    _same(web, run, word)
    note = " ".join(word.note.split())
    vote = Vote(who=name, verdict=verdict, at=0, origin=origin, note=note)
    answer = web.ledger.vote(run_id, vote, rule.required, "deploy")
    if answer != "counted":
        abort(409, _conflict(web, run_id, answer))
    return waiting.asked(web, run) or abort(404, "The run is no longer kept.")


def objection(rule: Approval, run: Run, who: str) -> str | None:
    """Why somebody's word does not count on a run, or None if it does."""
    try:
        admit(rule, run.order, who)
    except ForbiddenError as error:
        return str(error)
    return None


def _rule(web: Web, run: Run) -> Approval:
    environment = web.operator.environments.get(run.order.environment or "")
    if environment is None or environment.approval is None:
        abort(409, "The run is not waiting: nobody is asked about it.")
    return environment.approval


def _spelled(web: Web, rule: Approval, who: str) -> str:
    """One spelling of a name: logins know no case, and nobody counts twice by another way."""
    known = (*rule.approvers, *web.settings.api_tokens)
    return next((name for name in known if name.lower() == who.lower()), who.lower())


def _same(web: Web, run: Run, word: Word) -> None:
    """What is approved is what was seen: the commit, and the hash of all its packages."""
    if not run.hears:
        abort(409, _conflict(web, run.id, "not waiting"))
    (packages,) = web.ledger.history.fields(run.id, "packages")
    same = word.commit in (None, run.order.commit)
    if not same or not (word.sha256 is None or means(word.sha256, packages or "{}")):
        abort(409, "Another candidate waits now: not the commit or packages you saw. Look again.")


def _conflict(web: Web, run_id: str, answer: str) -> str:
    if answer == "voted":
        return "You have said your word on this run already."
    run = web.ledger.history.run(run_id)
    if run is None:
        return "The run is no longer kept."
    why = f": {run.error}" if run.error and run.state.final else ""
    return f"The run is not waiting for approval; it is {run.state}{why}"
