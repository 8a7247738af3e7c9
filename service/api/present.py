"""Runs and tasks as the API shows them."""

from typing import Any
from urllib.parse import quote

from config.units import moment
from service.actions.waiting import asked
from service.api.rollouts import rollout
from service.web import Web
from workers.ledger.locks import Lock
from workers.ledger.model.order import Order
from workers.ledger.model.released import Released
from workers.ledger.model.run import Release, Report, Run, StageState

__all__ = ["reports", "run", "task"]


def run(shown: Run, url: str) -> dict[str, Any]:
    """One run; `url` is the public URL of the web process."""
    order = shown.order
    return {
        "id": shown.id,
        "repository": order.repository,
        "ref": order.ref,
        "commit": order.commit,
        "purpose": order.purpose,
        "environment": order.environment,
        "pull_request": order.pull_request.number if order.pull_request else None,
        "base": _base(order),
        "rollback": order.rollback.model_dump() if order.rollback else None,
        "state": shown.state,
        "held": held(shown),
        "stages": [_stage(stage.model_dump()) for stage in shown.stages],
        "releases": [release_of(release) for release in shown.releases],
        "shared": [_shared(release) for release in shown.releases if release.commits],
        "rollout": rollout(shown.rollout),
        "checks": [check.model_dump(exclude={"report"}) for check in shown.checks],
        "reports": reports(shown, url),
        "error": shown.error,
        "untold": [one.model_dump() for one in shown.untold],
        "untidy": [one.model_dump() for one in shown.untidy],
        "delivery": shown.delivery,
        "created_at": moment(shown.created_at),
        "started_at": moment(shown.started_at),
        "finished_at": moment(shown.finished_at),
        "url": f"{url}/runs/{shown.id}",
        "log_url": f"{url}/api/v1/runs/{shown.id}/log",
    }


def release_of(release: Release) -> dict[str, Any]:
    """What one function is to run."""
    return release.model_dump(exclude={"commits"})


def _shared(release: Release) -> dict[str, Any]:
    """A version that stands for several commits, the one that it bears in AWS first."""
    return release.model_dump(include={"function", "version", "commits"})


def commits(row: Released) -> dict[str, list[str]]:
    """The commits that a version stands for, the one that it bears in AWS first, if several."""
    return {"commits": list(row.commits)} if row.commits else {}


def _base(order: Order) -> dict[str, str | None] | None:
    pull = order.pull_request
    return {"branch": pull.base, "environment": pull.environment} if pull and pull.base else None


def held(shown: Run) -> str | None:
    """Why a run's release waits, if a lock of its environment holds it back."""
    waiting = (stage.summary for stage in shown.stages if stage.state is StageState.WAITING)
    return (next(waiting, None) or "Held") if shown.held else None


def reports(shown: Run, url: str) -> list[dict[str, Any]]:
    """The HTML reports of a run's checks; `url` is null for one that only S3 has."""
    return [
        {
            "check": check.name,
            "url": _page(check.run or shown.id, url, check.name, check.report),
            "files": check.report.files,
            "size": check.report.size,
            "archive": check.report.archive,
        }
        for check in shown.checks
        if check.report
    ]


def _page(run_id: str, url: str, check: str, report: Report) -> str | None:
    if not (report.shown and report.index):
        return None
    return f"{url}/api/v1/runs/{run_id}/reports/{check}/{quote(report.index)}"


def _stage(stage: dict[str, Any]) -> dict[str, Any]:
    return stage | {name: moment(stage[name]) for name in ("started_at", "finished_at")}


def task(task_id: str, fields: dict[str, str], owner: Run | None, url: str) -> dict[str, Any]:
    """One queued task, with its run as that is now."""
    times = ("queued_at", "started_at", "finished_at")
    return {
        "id": task_id,
        "name": fields.get("name"),
        "state": fields.get("state"),
        **{name: moment(fields.get(name)) for name in times},
        "worker": fields.get("worker"),
        "outcome": fields.get("outcome"),
        "run_id": fields.get("run"),
        "run": run(owner, url) if owner else None,
    }


def shown(lock: Lock | None) -> dict[str, Any] | None:
    """A lock as the API shows it."""
    if lock is None:
        return None
    return {
        "kind": lock.kind,
        "by": lock.by,
        "reason": lock.reason,
        "at": moment(lock.at),
        "expires_at": moment(lock.expires_at),
        "run_id": lock.run,
        "commit": lock.commit,
    }


def approval(web: Web, run: Run) -> dict[str, Any] | None:
    """The approval of a run as the API shows it, or None where there is none."""
    found = asked(web, run)
    if found is None:
        return None
    return {
        "required": found.rule.required if found.rule else None,
        "approvers": list(found.rule.approvers) if found.rule else [],
        "missing": found.missing,
        "alias": found.alias,
        "votes": [vote.model_dump() | {"at": moment(vote.at)} for vote in found.votes],
        "expires_at": moment(found.until),
        "commit": found.commit,
        "sha256": found.sha256,
    }
