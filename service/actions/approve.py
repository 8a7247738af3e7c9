"""Approving and rejecting: one way for a word to count, wherever it comes from."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from config.server import Approval
from service.actions import waiting
from service.actions.refusal import Refused
from service.actions.waiting import Asked
from service.web import Web
from workers.ledger.model.approval import ForbiddenError, Verdict, Vote, admit, means
from workers.ledger.model.run import Run


class Speaker(NamedTuple):
    """Whose word it is, and where it comes from: "api 192.0.2.1", "slack U123"."""

    who: str
    origin: str


class Word(BaseModel):
    """What an approver sends: the commit and the candidate they saw, and a note, all optional."""

    model_config = ConfigDict(extra="forbid", strict=True)

    commit: str | None = None
    sha256: str | None = None
    note: str = Field("", max_length=500)


def decide(web: Web, run_id: str, speaker: Speaker, verdict: Verdict, word: Word) -> Asked:
    """Count one person's word; what is asked after it.

    Raises:
        Refused: 403, 404 or 409: the word can't count.
    """
    run = web.ledger.history.run(run_id)
    if run is None:
        raise Refused(404, f"There is no run {run_id[:50]}, or it is no longer kept.")
    rule = _rule(web, run)
    name = _spelled(web, rule, speaker.who)
    why_not = objection(rule, run, name)
    if why_not:
        raise Refused(403, why_not, what=verdict, who=speaker.who, run=run.id)
    _same(web, run, word)
    note = " ".join(word.note.split())
    vote = Vote(who=name, verdict=verdict, at=0, origin=speaker.origin, note=note)
    answer = web.ledger.vote(run_id, vote, rule.required, "deploy")
    if answer != "counted":
        raise Refused(409, _conflict(web, run_id, answer))
    found = waiting.asked(web, run)
    if found is None:
        raise Refused(404, "The run is no longer kept.")
    return found


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
        raise Refused(409, "The run is not waiting: nobody is asked about it.")
    return environment.approval


def _spelled(web: Web, rule: Approval, who: str) -> str:
    """One spelling of a name: logins know no case, and nobody counts twice by another way."""
    known = (*rule.approvers, *web.settings.api_tokens)
    return next((name for name in known if name.lower() == who.lower()), who.lower())


def _same(web: Web, run: Run, word: Word) -> None:
    """What is approved is what was seen: the commit, and the hash of all its packages."""
    if not run.hears:
        raise Refused(409, _conflict(web, run.id, "not waiting"))
    (packages,) = web.ledger.history.fields(run.id, "packages")
    same = word.commit in (None, run.order.commit)
    if not same or not (word.sha256 is None or means(word.sha256, packages or "{}")):
        raise Refused(
            409, "Another candidate waits now: not the commit or packages you saw. Look again."
        )


def _conflict(web: Web, run_id: str, answer: str) -> str:
    if answer == "voted":
        return "You have said your word on this run already."
    run = web.ledger.history.run(run_id)
    if run is None:
        return "The run is no longer kept."
    why = f": {run.error}" if run.error and run.state.final else ""
    return f"The run is not waiting for approval; it is {run.state}{why}"
