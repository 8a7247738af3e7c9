"""Room on this machine's disks: no run starts below a floor, and waits until there is more."""

import os
from pathlib import Path

from config.server.builds import size_bytes
from config.units import size
from workers.ledger.model.errors import RoomError

FEWEST_INODES = 1000
SHARE = 10
"""Of a file system so small that the floor would be much of it, a tenth will do."""


def demand(floor: str, *folders: Path | None) -> None:
    """Go on only if each folder's file system has room; one that is not here is passed over.

    Raises:
        RoomError: one has less than the floor; it is named.
    """
    for folder in folders:
        if folder is not None and (why := _short(floor, folder)):
            raise RoomError(
                f"there is too little room for a run at {folder}: {why}; the operator frees some,"
                " and the run waits until then"
            )


def _short(floor: str, folder: Path) -> str:
    try:
        found = os.statvfs(folder)
    except OSError:
        return ""
    free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    least = min(size_bytes(floor), total // SHARE)
    if free < least:
        return f"{size(free)} are free, and {size(least)} is the least"
    if found.f_files and found.f_favail < min(FEWEST_INODES, found.f_files // SHARE):
        return f"{found.f_favail} inodes are free"
    return ""
