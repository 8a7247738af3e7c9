"""The pages of runs: the list, one run, and the part of it that a live page fetches again."""

import re
from http import HTTPStatus
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from config import units
from service.access import asker
from service.actions.refusal import Refused
from service.api import present
from service.api.runs import again
from service.dashboard import approval, console, going
from service.dashboard.filters import CHECK, Filters
from service.web import Web
from workers.ledger import messages
from workers.ledger.history import Page
from workers.ledger.model.run import Run, State

blueprint = Blueprint("runs", __name__)

PER_PAGE = 30
MOST_LINES = 10**9
_ENTRY = re.compile(r"-|[0-9]{1,18}-[0-9]{1,18}")
_EXPLAINED = {State.QUEUED, State.WAITING, State.FAILED, State.CANCELLED, State.SUPERSEDED}


@blueprint.get("/")
def home() -> Response:
    """The list of runs is where everything begins."""
    return going.to("/runs")


@blueprint.get("/runs")
def history() -> str:
    """Runs, newest first."""
    web = Web.current()
    filters = Filters.read(request.args)
    environments = tuple(web.operator.environments)
    query = filters.query(checks=CHECK not in environments)
    page = web.ledger.history.page(query, PER_PAGE)
    return render_template(
        "runs.html",
        page=page,
        filters=filters,
        environments=environments,
        environment_rules=tuple(web.operator.environments.values()),
        repositories=_repositories(web, page),
        states=tuple(State),
        asked_for=_asked_for(web, page),
        now=units.now(),
        url=web.url,
    )


def _repositories(web: Web, page: Page) -> list[str]:
    exact = {rule.name for rule in web.operator.repositories if not re.search(r"[*?]", rule.name)}
    return sorted(exact | {run.order.repository for run in page.runs})


def _asked_for(web: Web, page: Page) -> set[str]:
    """The runs that wait for the reader's own word."""
    waiting = (run for run in page.runs if run.hears)
    return {run.id for run in waiting if (found := approval.panel(web, run)) and found.usable}


@blueprint.get("/runs/<run_id>")
def one(run_id: str) -> str:
    """One run: what it is for, how far it is, what it said."""
    ledger = Web.current().ledger
    view = _view(_run(run_id))
    if view["archived"]:
        # A worker brings it back from S3; the page, which counts as live, shows it then.
        ledger.recall_log(run_id, messages.REPORTS_ON)
    return render_template("run.html", **view, log=console.show(ledger.history.log(run_id)))


@blueprint.get("/runs/<run_id>/live")
def live(run_id: str) -> str:
    """The changing parts of a run's page, with the log's lines after those that it has."""
    # In this order: the log of a run that has ended is whole.
    view = _view(_run(run_id))
    after = request.args.get("after", "-")
    after = after if _ENTRY.fullmatch(after) else "-"
    line = min(max(1, request.args.get("line", 1, type=int)), MOST_LINES)
    shown = console.show(Web.current().ledger.history.log(run_id, after), after, line)
    return render_template("live.html", **view, log=shown)


@blueprint.post("/runs/<run_id>/cancel")
def cancel(run_id: str) -> Response:
    """Ask for a run's end; its page shows what became of it."""
    if Web.current().ledger.cancel(run_id, f"cancelled by {asker()}") == "gone":
        raise _unknown()
    return going.to(f"/runs/{run_id}")


@blueprint.post("/runs/<run_id>/retry")
def retry(run_id: str) -> Response | tuple[str, int]:
    """Run the same order once more; leads to the new run's page."""
    try:
        accepted = again(Web.current(), _run(run_id))
    except Refused as refused:
        if refused.status != HTTPStatus.CONFLICT:
            raise
        said = {"title": "It was not run again", "detail": refused.sentence, "run_id": run_id}
        return render_template("error.html", code=409, **said), 409
    return going.to(f"/runs/{accepted.run_id}")


def _run(run_id: str) -> Run:
    run = Web.current().ledger.history.run(run_id)
    if run is None:
        raise _unknown()
    return run


def _unknown() -> NotFound:
    return NotFound("There is no such run. It may be so old that it is no longer kept.")


def _view(run: Run) -> dict[str, Any]:
    history = Web.current().ledger.history
    cancelling, cut, whole = history.fields(run.id, "cancel", "log_cut", "log_whole")
    archived = run.state.final and history.archived(run.id)
    now = units.now()
    return {
        "run": run,
        "now": now,
        "approval": approval.panel(Web.current(), run),
        "bars": _bars(run, now),
        "reports": {report["check"]: report for report in present.reports(run, Web.current().root)},
        "explained": _explained(run),
        "cancelling": bool(cancelling) and not run.state.final,
        "cut": int(cut or 0),
        "whole": whole,
        "archived": archived,
        "complete": run.state.final and not archived,
    }


def _explained(run: Run) -> str | None:
    """Why a run is as it is, where that needs words."""
    return (present.held(run) or run.error) if run.state in _EXPLAINED else None


def _bars(run: Run, now: int) -> dict[str, tuple[float, float]]:
    """Where each stage lies in the run's time: begin and length, in percent."""
    spans = {s.name: (s.started_at, s.finished_at or now) for s in run.stages if s.started_at}
    if not spans:
        return {}
    begin = min(start for start, _ in spans.values())
    whole = max(1, max(end for _, end in spans.values()) - begin)
    return {
        name: (100 * (start - begin) / whole, 100 * max(end - start, 0) / whole)
        for name, (start, end) in spans.items()
    }
