"""Brings spooled parts of whole logs to S3: at the end of their visit, or by a sweep after it."""

import time
from pathlib import Path
from typing import BinaryIO

import structlog

from workers.archive import spool
from workers.aws import stored
from workers.ledger import messages
from workers.ledger.model.errors import RunError
from workers.ledger.model.run import Run
from workers.ledger.parts import Part
from workers.workshop import Workshop, place_of

log = structlog.get_logger()

AGAIN_SECONDS = 15
PATIENCE_SECONDS = 86400
NAME_DIGITS = 12


def prefix(run_id: str) -> str:
    """Where the parts of a run's whole log are in its bucket, in the order of their names."""
    return f"slipway/logs/{run_id}/"


def key(run_id: str, name: str) -> str:
    """One part in its bucket."""
    return f"{prefix(run_id)}{name}{spool.SEALED_SUFFIX}"


def name_of(fence: str) -> str:
    """The part of the visit that has this fencing number."""
    return fence.zfill(NAME_DIGITS)


def settle(shop: Workshop, path: Path) -> None:
    """Bring a spooled part to S3, unless it is written to, and remove it here.

    One that nobody wants any more, or that S3 did not take for a day, is only removed.

    Raises:
        RunError: S3 is out of reach, or refuses.
    """
    with spool.taken(path) as file:
        if file is None:
            return
        run_id, _, name = path.name.split(".")[0].rpartition("_")
        run = shop.ledger.history.run(run_id)
        if run is not None and time.time() - path.stat().st_mtime < PATIENCE_SECONDS:
            broken = path.suffix == spool.OPEN_SUFFIX
            full = path.name.endswith(spool.FULL_SUFFIX)
            _store(shop, run, name, file, broken=broken, full=full)
        path.unlink(missing_ok=True)


def _store(  # noqa: PLR0913 - what and whose, and two things that may be wrong with it
    shop: Workshop, run: Run, name: str, file: BinaryIO, *, broken: bool, full: bool
) -> None:
    if not broken:
        put(shop, run, name, file, flawed=full)
    else:
        with spool.mended(file, shop.spools) as whole:
            put(shop, run, name, whole, flawed=True)
    if run.state.final:
        # Its archive may wait for it.
        shop.ledger.ring(messages.REPORT, run.id, messages.REPORTS_ON)


def put(shop: Workshop, run: Run, name: str, file: BinaryIO, *, flawed: bool) -> None:
    """Write one part to S3 and into the book; `flawed`: not all is in it.

    Raises:
        RunError: S3 is out of reach, or refuses.
    """
    place = place_of(shop, run)
    if place is None:
        return
    text, size = spool.sizes(file)
    stored.stream(*place, key(run.id, name), file)
    shop.ledger.parts.stored(run.id, Part(name, "stored", text, size, flawed))


def sweep(shop: Workshop) -> None:
    """Bring to S3 what was left on this machine: by the dead, or while S3 was away."""
    for path in shop.spools.glob("*_*"):
        if not shop.ledger.once(f"spool:{path.name}", AGAIN_SECONDS):
            continue
        try:
            settle(shop, path)
        except RunError as error:
            log.warning("log_not_stored", file=path.name, error=str(error))
