"""The part of a run's page where people approve, and what they said."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, render_template, request
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from service.access import asker, written_down
from service.actions.approve import Speaker, Word, decide, objection
from service.actions.refusal import Refused
from service.actions.waiting import Asked, asked
from service.dashboard import going
from service.web import Web
from workers.ledger.model.approval import Verdict, Vote
from workers.ledger.model.run import Run

blueprint = Blueprint("approval", __name__)

Answer = Response | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Panel:
    """What the page says of an approval, and whether its reader has a word in it.

    `own` is what the reader has said, `objection` why it would not count.
    """

    asked: Asked
    waits: bool
    own: Vote | None
    objection: str | None

    @property
    def usable(self) -> bool:
        """Whether the reader is asked."""
        return self.waits and not self.asked.rejected and not (self.own or self.objection)


def panel(web: Web, run: Run) -> Panel | None:
    """The approval of a run that waits, or about which people have spoken."""
    found = asked(web, run)
    if found is None or not (run.hears or found.votes):
        return None
    name = asker()
    return Panel(
        asked=found,
        waits=run.hears and found.rule is not None,
        own=found.word_of(name),
        objection=objection(found.rule, run, name) if found.rule else None,
    )


@blueprint.post("/runs/<run_id>/approve")
def approve(run_id: str) -> Answer:
    """Say yes to what the page showed."""
    return _say(run_id, "approve")


@blueprint.post("/runs/<run_id>/reject")
def reject(run_id: str) -> Answer:
    """Say no to it: the run ends."""
    return _say(run_id, "reject")


def _say(run_id: str, verdict: Verdict) -> Answer:
    form = request.form
    # Browsers send line ends as two characters and count them as one.
    note = form.get("note", "").replace("\r\n", "\n")
    try:
        seen = {name: form.get(name, "") for name in ("commit", "sha256")}
        word = Word.model_validate({**seen, "note": note})
    except ValidationError:
        raise BadRequest("A note has 500 characters at most.") from None
    try:
        speaker = Speaker(asker(), f"page {request.remote_addr}")
        decide(Web.current(), run_id, speaker, verdict, word)
    except Refused as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise
        written_down(error)
        said = {"title": "Your word did not count", "detail": error.sentence, "run_id": run_id}
        return render_template("error.html", code=error.status, **said), error.status
    return going.to(f"/runs/{run_id}")
