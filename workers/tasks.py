"""Celery tasks: shells around plain functions, which know nothing of Celery."""

from threading import Thread
from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_ready

from workers import report as reporting
from workers.archive import reading
from workers.drift import watch
from workers.pipeline import walk
from workers.process import surroundings
from workers.upkeep import poll as polling
from workers.upkeep import sweep as sweeping
from workers.workshop import workshop

log = structlog.get_logger()


def _bound(task: Any, run_id: str, extra: dict[str, Any]) -> None:  # noqa: ANN401 - Celery's own
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=task.request.id, run=run_id)
    if extra:
        log.warning("unknown_task_arguments", names=sorted(extra))


@worker_ready.connect
def _look_around(**_: Any) -> None:  # noqa: ANN401 - Celery's own
    """Say what builds and checks may reach, beside the work: an engine may be slow to answer."""
    shop = workshop()
    if "build" in shop.settings.queues:
        Thread(target=surroundings.tell, args=(shop,), daemon=True).start()


@shared_task(name="workers.advance", bind=True)
def advance(self: Any, run_id: str, **extra: Any) -> None:  # noqa: ANN401 - a newer web process
    """Walk one run through its stages, as far as it can go now."""
    _bound(self, run_id, extra)
    walk.advance(workshop(), run_id, self.request.id)


@shared_task(name="workers.report", bind=True)
def report(self: Any, run_id: str, **extra: Any) -> None:  # noqa: ANN401 - a newer web process
    """Tell everybody what has changed about one run; bring its log to S3, and back."""
    _bound(self, run_id, extra)
    reporting.report(workshop(), run_id, self.request.id)


@shared_task(name="workers.bring", bind=True)
def bring(self: Any, run_id: str, **extra: Any) -> None:  # noqa: ANN401 - a newer web process
    """Bring pieces of a whole log from S3 to those who read it."""
    _bound(self, run_id, extra)
    reading.serve(workshop(), run_id)


@shared_task(name="workers.sweep")
def sweep(**_: Any) -> None:  # noqa: ANN401 - a newer beat process
    """Ring again for whatever should be going on and is not; clean up."""
    structlog.contextvars.clear_contextvars()
    sweeping.sweep(workshop())


@shared_task(name="workers.poll")
def poll(period: float | None = None, **_: Any) -> None:  # noqa: ANN401 - a newer beat process
    """Ask GitHub for what its webhooks failed to tell; `period` is beat's, in seconds."""
    structlog.contextvars.clear_contextvars()
    shop = workshop()
    polling.poll_in_turn(shop, period or shop.settings.poll_seconds)


@shared_task(name="workers.look")
def look(environment: str, **_: Any) -> None:  # noqa: ANN401 - a newer web process
    """Look at an environment for somebody who wants to know how it is now."""
    structlog.contextvars.clear_contextvars()
    watch.answer(workshop(), environment)
