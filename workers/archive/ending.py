"""The end of a whole log: what the ledger has and no part, and notes where a part never came."""

import gzip
import tempfile
from collections.abc import Iterable
from time import time
from typing import BinaryIO, cast

from config.log_text import as_text
from workers.archive.spool import LEVEL
from workers.archive.store import put
from workers.ledger.model.errors import PassingError
from workers.ledger.model.run import Run
from workers.ledger.parts import END, Part
from workers.workshop import Workshop

PATIENCE_SECONDS = 600
SPOOLED_BYTES = 4 << 20
LACKS = "the whole log lacks a part: it was lost with its worker, or could not be brought to S3"
MISSING = (
    "[slipway] a part of the log is missing here: it was lost with its worker, or could not be "
    "brought to S3\n"
)


def late(shop: Workshop, run: Run, patience: float) -> list[Part]:
    """The parts of a run that are still on their way, if it has not ended so many seconds ago."""
    if time() - (run.finished_at or 0) / 1000 > patience:
        return []
    return [one for one in shop.ledger.parts.of(run.id) if not (one.stored or one.name == END)]


def end(shop: Workshop, run: Run) -> None:
    """Write the last part to S3, if there are others, and notes for those that will not come.

    Raises:
        PassingError: a part may still come.
        RunError: S3 is out of reach, or refuses.
    """
    parts = [one for one in shop.ledger.parts.of(run.id) if one.name != END]
    if not parts:
        return
    if late(shop, run, PATIENCE_SECONDS):
        raise PassingError("a part of the log is still on its way to S3")
    shop.spools.mkdir(parents=True, exist_ok=True)
    for part in parts:
        if not part.stored:
            shop.ledger.note(run.id, "archive", LACKS)
            _write(shop, run, part.name, (MISSING,), flawed=True)
    _write(shop, run, END, rest(shop, run))


def rest(shop: Workshop, run: Run) -> Iterable[str]:
    """The log from its last part on."""
    parts = shop.ledger.parts
    return (as_text([entry]) for entry in parts.rest(run.id, parts.mark(run.id)))


def packed(texts: Iterable[str]) -> BinaryIO:
    """Texts, gzip'd; on disk if they are many."""
    file = tempfile.SpooledTemporaryFile(SPOOLED_BYTES)  # noqa: SIM115 - the caller closes it
    with gzip.GzipFile("", "wb", LEVEL, cast("BinaryIO", file), 0) as packer:
        for text in texts:
            packer.write(text.encode("utf-8", "replace"))
    return cast("BinaryIO", file)


def _write(
    shop: Workshop, run: Run, name: str, texts: Iterable[str], *, flawed: bool = False
) -> None:
    with packed(texts) as file:
        put(shop, run, name, file, flawed=flawed)
