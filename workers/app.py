"""The Celery application: queues, limits, schedule; a doorbell, the ledger is the truth."""

import logging
import os
import time
from datetime import UTC, datetime
from typing import Any

import structlog
from celery import Celery
from celery.signals import setup_logging, worker_init, worker_ready, worker_shutting_down
from celery.worker import state
from kombu.entity import Queue
from redis.exceptions import RedisError

from config import logs
from config.settings import work_settings as settings
from workers.ledger import Ledger
from workers.ledger.connection import hasty
from workers.ledger.keys import BROKER_PREFIX
from workers.process.watchdog import AtWork, Watchdog
from workers.workshop import owner_of

log = structlog.get_logger()

SPARE_SLOTS = 2
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
TRANSPORT = {
    "global_keyprefix": BROKER_PREFIX,
    # Else kombu writes down each message that it receives, and each that is done: two writes to
    # disk before a task begins. A message that is lost is the sweep's business (ADR 2).
    "ack_emulation": False,
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
CHATTY = ("celery.worker.strategy", "celery.app.trace", "celery.beat")


def make() -> Celery:
    """The application for this process's settings."""
    chosen = settings()
    app = Celery("slipway", broker=chosen.redis_url, include=["workers.tasks"])
    app.conf.update(
        accept_content=["json"],
        # Else a broker that turns read-only for a moment ends the worker.
        broker_channel_error_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=TRANSPORT,
        beat_schedule={
            "sweep": _every("sweep", chosen.sweep_seconds),
            # Due at once: a beat that restarts more often than the period would never ask.
            "poll": _every("poll", chosen.poll_seconds)
            | {"last_run_at": LONG_AGO, "kwargs": {"period": chosen.poll_seconds}},
        },
        task_acks_late=False,
        task_create_missing_queues=False,
        task_default_queue=chosen.queues[-1],
        task_ignore_result=True,
        task_queues=[Queue(name) for name in chosen.queues],
        # Slots beyond the runs at work stay free for reports and sweeps.
        worker_concurrency=chosen.capacity + SPARE_SLOTS,
        # True would destroy tasks when Redis restarts: docs/adr/0001.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_disable_prefetch=True,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_pool="workers.process.pool:Pool",
        worker_prefetch_multiplier=1,
    )
    return app


def _every(task: str, seconds: float) -> dict[str, Any]:
    """A call for each time; one that found no worker in time is stale, and the next one does."""
    return {"task": f"workers.{task}", "schedule": seconds, "options": {"expires": 10 * seconds}}


@setup_logging.connect
def _logs(**_: object) -> None:
    logs.configure(secrets=settings().secrets())
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


@worker_init.connect
def _start(**_: object) -> None:
    """In a container the next worker may have the name of the one that has just been drained."""
    _drain_this(drained=False)


@worker_ready.connect
def _watch(**_: object) -> None:
    """In the main process: what holds a task's interpreter does not hold this one's."""
    Watchdog(Ledger(hasty(settings().redis_url)), at_work).start()


def at_work() -> list[AtWork]:
    """The tasks that this worker's processes are at."""
    now = time.time()
    return [
        AtWork(request.id, request.worker_pid, now - request.time_start)
        for request in list(state.requests.values())
        if request.worker_pid and request.time_start
    ]


@worker_shutting_down.connect
def _stop(**_: object) -> None:
    """The work at hand is given back, not waited for: a build may take half an hour."""
    _drain_this(drained=True)


def _drain_this(*, drained: bool) -> None:
    try:
        Ledger(hasty(settings().redis_url)).drain(owner_of(os.getpid()), drained=drained)
    except RedisError as error:
        log.warning("ledger_unavailable", error=str(error))
