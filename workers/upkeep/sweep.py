"""Finds what should be going on and is not: bells that rang unheard, workers that died."""

import shutil
import socket

import structlog

from config.server.builds import size_bytes
from workers.archive import store
from workers.docker import litter
from workers.ledger import messages
from workers.ledger.model.errors import RunError
from workers.ledger.upkeep import Upkeep
from workers.source import upkeep
from workers.source.git import Git
from workers.workshop import Workshop

log = structlog.get_logger()

GRACE_SECONDS = 2.0
ENOUGH = 20
HOUR_SECONDS = 3600.0
DAY_SECONDS = 86400.0
MIRROR_DAYS = 30


def sweep(shop: Workshop) -> None:
    """Ring again for due runs, expired leases and untold reports; forget the old; tidy up."""
    overdue = shop.ledger.overdue(GRACE_SECONDS, everywhere=True)
    for run_id, on in overdue.runs:
        if run_id in overdue.urgent:
            shop.ledger.ring_first(run_id, on)
        elif shop.ledger.backlog(on) < ENOUGH:
            shop.ledger.ring(messages.ADVANCE, run_id, on)
    for run_id in overdue.reports:
        if shop.ledger.backlog(messages.REPORTS_ON) < ENOUGH:
            shop.ledger.ring(messages.REPORT, run_id, messages.REPORTS_ON)
    if overdue.runs or overdue.reports:
        log.info("swept", runs=len(overdue.runs), reports=len(overdue.reports))
    shop.ledger.prune(shop.settings.keep_runs, shop.settings.keep_days)
    _tidy(shop)
    _tend_mirrors(shop)
    _prune_cache(shop)


def _prune_cache(shop: Workshop) -> None:
    """Once an hour for each machine that builds."""
    name = f"cache:{socket.gethostname()}"
    book = Upkeep(shop.ledger.redis)
    if "build" not in shop.settings.queues or book.settled(name):
        return
    book.settle(name, HOUR_SECONDS)
    try:
        gone = litter.prune_cache(shop.engine, size_bytes(shop.settings.build_cache))
    except RunError as error:
        log.warning("cache_not_pruned", error=str(error))
    else:
        if gone:
            log.info("cache_pruned", bytes=gone)


def _tend_mirrors(shop: Workshop) -> None:
    """Once a day; an hour later where some were in use, or where its worker died at it."""
    name = f"mirrors:{socket.gethostname()}"
    book = Upkeep(shop.ledger.redis)
    if book.settled(name):
        return
    with shop.ledger.alone(name, HOUR_SECONDS) as alone:
        # Another may have done it since we asked.
        if not alone or book.settled(name):
            return
        git = Git(shop.settings.data_dir, None, shop.network)
        left = upkeep.prune(git, MIRROR_DAYS * DAY_SECONDS)
        if left:
            log.warning("mirrors_not_tended", error="; ".join(left))
        book.settle(name, HOUR_SECONDS if left else DAY_SECONDS)


def _tidy(shop: Workshop) -> None:
    """Remove what dead visits left on this machine."""
    history = shop.ledger.history
    for folder in shop.workspaces.glob("*"):
        run_id, _, fence = folder.name.rpartition("-")
        if not (fence.isdigit() and history.working(run_id, int(fence))):
            shutil.rmtree(folder, ignore_errors=True)
    store.sweep(shop)
    if "build" not in shop.settings.queues:
        return
    try:
        litter.sweep(shop.engine, history.working, shop.ledger.identity())
    except RunError as error:
        log.warning("litter_not_swept", error=str(error))
