"""The HTML reports of checks over HTTP: what a repository's tests made, so trusted in nothing."""

from pathlib import PurePosixPath
from time import monotonic, sleep

from flask import Blueprint, Response

from service.problems import problem
from service.web import Web
from workers.ledger import messages
from workers.ledger.model.run import CheckRecord, Report

blueprint = Blueprint("reports", __name__)
RECALL_SECONDS = 3.0
OTHER = "application/octet-stream"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "text/plain; charset=utf-8",
}
HEADERS = {
    # A sandbox without scripts and forms. It keeps its origin, or the browser would not send the
    # session with requests for the page's own styles and images.
    "Content-Security-Policy": (
        "sandbox allow-same-origin; default-src 'none'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}


@blueprint.get("/runs/<run_id>/reports/<check>/<path:path>")
def file(run_id: str, check: str, path: str) -> Response:
    """One file of a check's report."""
    web = Web.current()
    run = web.ledger.history.run(run_id)
    report = _report(run.checks if run else (), check)
    if report is None:
        return problem(404, f"There is no report of {check[:50]} in run {run_id[:50]}.")
    if not report.shown:
        return problem(404, f"The report is too large to be shown here: it is in {report.archive}.")
    if not _is_here(web, run_id, check, report):
        if report.archive is None:
            return problem(404, "The report is no longer kept.")
        # Browsers obey Refresh, and people need not know what 503 is.
        again = {"Retry-After": "2", "Refresh": "2"}
        return problem(503, "The report is being brought back from S3; ask again.", **again)
    data = web.ledger.reports.read(run_id, check, path)
    if data is None:
        return problem(404, f"There is no {path[:200]} in the report of {check}.")
    kind = TYPES.get(PurePosixPath(path).suffix.lower(), OTHER)
    response = Response(data, content_type=kind, headers=HEADERS)
    if kind == OTHER:
        response.headers["Content-Disposition"] = "attachment"
    return response


def _report(checks: tuple[CheckRecord, ...], check: str) -> Report | None:
    return next((one.report for one in checks if one.name == check), None)


def _is_here(web: Web, run_id: str, check: str, report: Report) -> bool:
    """Whether it can be read; what is only in S3 has to be brought back by a worker."""
    reports = web.ledger.reports
    if reports.here(run_id, check):
        return True
    if report.archive is None:
        return False
    web.ledger.recall_report(run_id, check, messages.REPORTS_ON)
    deadline = monotonic() + RECALL_SECONDS
    while monotonic() < deadline:
        sleep(0.05)
        if reports.here(run_id, check):
            return True
    return False
