"""Approving and rejecting over HTTP."""

from flask import Blueprint, Response, jsonify, request

from service.access import asker
from service.actions.approve import Speaker, Word, decide
from service.api import body
from service.web import Web
from workers.ledger.model.approval import Verdict

blueprint = Blueprint("approvals", __name__)


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
    speaker = Speaker(asker(), f"api {request.remote_addr}")
    found = decide(Web.current(), run_id, speaker, verdict, word)
    response = jsonify(state="counted", verdict=verdict, missing=found.missing)
    response.status_code = 202
    return response
