"""Tells GitHub what has changed about a run; what can't be told now is told later."""

import json

import structlog

from workers import queue
from workers.archive import archive, recall
from workers.errors import OurError, PassingError
from workers.github.faults import RefusedError
from workers.github.statuses import post
from workers.run import Run
from workers.statuses import Status, statuses
from workers.workshop import Workshop

log = structlog.get_logger()

REPORTER_SECONDS = 120
AGAIN_SECONDS = 2.0
LONGEST_SECONDS = 600.0
TRIES = "tries"
LOG = "log"


def report(shop: Workshop, run_id: str, token: str) -> None:
    """Compare what GitHub was last told with the run, and post the difference."""
    begun = shop.ledger.report_begin(run_id, token, REPORTER_SECONDS)
    if begun is None:
        return
    revision, text = begun
    told: dict[str, str] = json.loads(text)
    run = shop.ledger.history.run(run_id)
    again = _tell(shop, run, told) if run else None
    changed = shop.ledger.report_end(run_id, token, revision, json.dumps(told), again)
    if changed and again is None:
        shop.ledger.ring(queue.REPORT, run_id, queue.REPORTS_ON)


def _tell(shop: Workshop, run: Run, told: dict[str, str]) -> float | None:
    """Post what is new and note it in `told`; seconds until it must be tried again, or None."""
    try:
        for status in statuses(run):
            if _new(status, told):
                _post(shop, run, status)
                told[_key(status)] = _said(status)
        if run.state.final and LOG not in told:
            told[LOG] = archive(shop, run)
        if shop.ledger.history.fields(run.id, "recall") != [None]:
            recall(shop, run)
    except (PassingError, OurError) as error:
        log.warning("report_delayed", error=str(error))
        tries = int(told.get(TRIES, "0"))
        told[TRIES] = str(tries + 1)
        backoff: float = min(AGAIN_SECONDS * 2**tries, LONGEST_SECONDS)
        return max(backoff, getattr(error, "retry_after", None) or 0.0)
    told.pop(TRIES, None)
    return None


def _key(status: Status) -> str:
    return f"{status.sha}|{status.context}"


def _said(status: Status) -> str:
    return f"{status.state}|{status.description}"


def _new(status: Status, told: dict[str, str]) -> bool:
    return told.get(_key(status)) != _said(status)


def _post(shop: Workshop, run: Run, status: Status) -> None:
    """Tell GitHub one status; one that it will never take counts as told."""
    if not shop.github.configured:
        return
    try:
        post(
            shop.github,
            run.order.repository,
            status.sha,
            context=status.context,
            state=status.state,
            description=status.description,
            target_url=f"{shop.settings.url}/runs/{run.id}",
        )
    except RefusedError as error:
        log.warning("status_refused", context=status.context, error=str(error))
