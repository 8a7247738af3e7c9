"""What this machine may run out of: room, inodes, descriptors, memory; each passes."""

import errno
import re
from pathlib import Path

from workers.ledger.model.errors import PassingError

_WHAT = {
    errno.ENOSPC: "no room, or no inodes, left on the disk",
    errno.EDQUOT: "the disk's quota is used up",
    errno.EMFILE: "this process has too many files open (its descriptor limit)",
    errno.ENFILE: "this machine has too many files open",
    errno.ENOMEM: "this machine has no memory left",
    errno.EAGAIN: "this machine can start no more processes or threads",
    errno.ENOBUFS: "this machine has no memory left for its network",
    errno.EIO: "the disk fails to read or write",
    errno.EROFS: "the file system has become read-only",
}
_THREADS = "can't start new thread"
_SAID = re.compile(
    r"no space left on device|disk quota exceeded|too many open files|cannot allocate memory"
    r"|resource temporarily unavailable|\bENOSPC\b|\bEDQUOT\b",
    re.IGNORECASE,
)


def short_of(text: str) -> bool:
    """Whether a program says that the machine that it runs on is short of something."""
    return bool(_SAID.search(text))


def shortage(error: BaseException, folder: Path) -> PassingError | None:
    """The passing fault that an error is when this machine ran out of something, else None.

    `folder` is named where the error itself names no file.
    """
    seen: BaseException | None = error
    while seen is not None:
        if what := _short_of(seen):
            where = _folder(seen, folder)
            return PassingError(
                f"{what}, at {where}: the operator frees some, or gives this machine more"
            )
        seen = seen.__cause__ or seen.__context__
    return None


def _short_of(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return _WHAT[errno.ENOMEM]
    if isinstance(error, RuntimeError) and _THREADS in str(error):
        return _WHAT[errno.EAGAIN]
    if isinstance(error, OSError):
        return _WHAT.get(error.errno or 0)
    return None


def _folder(error: BaseException, folder: Path) -> Path:
    named = getattr(error, "filename", None)
    if not isinstance(named, str | bytes) or not named:
        return folder
    return Path(named if isinstance(named, str) else named.decode(errors="replace")).parent
