"""The packs of a mirror: what they take, what may still be fetched, what a killed fetch left."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from config.units import size
from workers.ledger.model.errors import UserError


def total(mirror: Path) -> int:
    """Bytes of all packs and their indexes, also of those that were never finished."""
    return sum(map(_size, _files(mirror, "*")))


def room(mirror: Path, most: int) -> int:
    """Bytes that one more pack may take; at least what an empty one does."""
    clear(mirror)
    return max(most - total(mirror), 4096)


def clear(mirror: Path) -> None:
    """Remove packs that were never finished; only for whoever holds the mirror's lock."""
    for left in _files(mirror, "tmp_*"):
        left.unlink(missing_ok=True)


def too_large(repository: str, commit: str, most: int) -> UserError:
    """The error of a repository whose packs would take more than they may."""
    return UserError(
        f"{repository} has more than {size(most)} of history at {commit[:7]}, and no more is "
        "fetched: take large files out of its history, or ask the operator for more "
        "(SLIPWAY_FETCH_DISK)"
    )


def _files(mirror: Path, pattern: str) -> Iterator[Path]:
    return (mirror / "objects" / "pack").glob(pattern)


def _size(file: Path) -> int:
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0
