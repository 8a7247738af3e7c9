"""Runs over HTTP: the history, one run, its log."""

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from time import monotonic, sleep
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field
from redis.exceptions import ResponseError

from config.log_text import FOLLOW_HEADER, as_text, recalled
from service.access import asker, record
from service.actions.retry import repeat
from service.api import body, present
from service.api.whole_log import KIND, answer
from service.problems import problem
from service.web import Web
from workers.ledger import Accepted, messages
from workers.ledger.history import Query
from workers.ledger.model.order import Purpose
from workers.ledger.model.run import Run, State
from workers.ledger.watch import Entry

blueprint = Blueprint("runs", __name__)
RECALL_SECONDS = 3.0


class Filters(BaseModel):
    """The query of GET /runs; times are ISO 8601, UTC unless they say; `cursor` is a page's own."""

    model_config = ConfigDict(extra="forbid")

    repository: str | None = None
    branch: str | None = None
    environment: str | None = None
    commit: str | None = None
    state: State | None = None
    purpose: Purpose | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: int | None = None
    limit: int = Field(30, ge=1, le=200)

    def query(self) -> Query:
        """As the ledger takes it."""
        names = ("environment", "commit", "state", "purpose")
        match = {name: str(value) for name in names if (value := getattr(self, name))}
        return Query(
            repository=self.repository,
            branch=self.branch,
            since=_milliseconds(self.since),
            until=_milliseconds(self.until),
            cursor=self.cursor,
            match=match,
        )


def _milliseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    # A time without a zone is in UTC, wherever this machine stands.
    zone = moment.tzinfo or UTC
    return int(moment.replace(tzinfo=zone).timestamp() * 1000)


@blueprint.get("/runs")
def history() -> Response:
    """A page of runs, newest first."""
    filters = body.query(Filters)
    page = Web.current().ledger.history.page(filters.query(), filters.limit)
    answer: dict[str, Any] = {
        "runs": [present.run(run, Web.current().url) for run in page.runs],
        "cursor": None if page.cursor is None else str(page.cursor),
    }
    return jsonify(answer)


@blueprint.get("/runs/<run_id>")
def one(run_id: str) -> Response:
    """One run."""
    run = Web.current().ledger.history.run(run_id)
    if run is None:
        return _unknown(run_id)
    web = Web.current()
    shown = present.run(run, web.url)
    return jsonify(shown | {"approval": present.approval(web, run)})


@blueprint.get("/runs/<run_id>/log")
def log(run_id: str) -> Response:
    """The run's log as text; `?after=` the cursor of an earlier answer gives only what is new.

    Without it, the log of an ended run is whole, also where the ledger had to cut it.
    """
    history = Web.current().ledger.history
    run = history.run(run_id)
    if run is None:
        return _unknown(run_id)
    after = request.args.get("after") or "-"
    if "after" not in request.args and (whole := _whole(run)):
        return whole
    if not log_is_here(run_id):
        return problem(
            503, "The log is being brought back from S3; ask again.", **{"Retry-After": "2"}
        )
    try:
        entries = history.log(run_id, after)
    except ResponseError:
        return problem(400, "after: expected the cursor of an earlier answer")
    note = history.cut_note(run_id) if after == "-" and not recalled(entries) else ""
    return _text(Response(note + as_text(entries), content_type=KIND), entries, after)


def _whole(run: Run) -> Response | None:
    web = Web.current()
    parts = web.ledger.parts.whole(run.id) if run.state.final else []
    response = answer(web, run.id, parts) if parts else None
    if response is not None and response.status_code == HTTPStatus.OK:
        _text(response, (), web.ledger.parts.last(run.id))
    return response


def _text(response: Response, entries: Sequence[Entry], after: str) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers[FOLLOW_HEADER] = entries[-1][0] if entries else after
    return response


@blueprint.post("/runs/<run_id>/retry")
def retry(run_id: str) -> Response:
    """Run the same order once more, after a run that ended without success."""
    web = Web.current()
    run = web.ledger.history.run(run_id)
    if run is None:
        return _unknown(run_id)
    accepted = again(web, run)
    response = jsonify(run_id=accepted.run_id, url=f"{web.url}/runs/{accepted.run_id}")
    response.status_code = 202
    return response


def again(web: Web, run: Run) -> Accepted:
    """A new run of the same order, for whoever asks; it is written down."""
    who = asker()
    accepted = repeat(web, run, who)
    if not run.order.rollback:
        record("retried", who, run=accepted.run_id, instead_of=run.id)
    return accepted


def log_is_here(run_id: str) -> bool:
    """An old run's log is in S3, which the web process can't reach: a worker brings it back."""
    ledger = Web.current().ledger
    if not ledger.history.archived(run_id):
        return True
    ledger.recall_log(run_id, messages.REPORTS_ON)
    deadline = monotonic() + RECALL_SECONDS
    while monotonic() < deadline:
        sleep(0.05)
        if not ledger.history.archived(run_id):
            return True
    return False


@blueprint.post("/runs/<run_id>/cancel")
def cancel(run_id: str) -> Response:
    """End a run: at once if it waits, else as soon as its worker hears of it."""
    answer = Web.current().ledger.cancel(run_id, f"cancelled by {asker()}")
    if answer == "gone":
        return _unknown(run_id)
    if answer == "ended":
        return problem(409, "The run has ended already.")
    response = jsonify(state=answer)
    response.status_code = 202
    return response


def _unknown(run_id: str) -> Response:
    return problem(404, f"There is no run {run_id[:50]}, or it is no longer kept.")
