"""A part of a whole log on this machine's disk, packed as it is written.

The file is locked as long as its visit writes to it, so that a sweep knows what the dead left.
"""

import fcntl
import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

from workers.ledger.unpacking import unpacked

OPEN_SUFFIX = ".part"
SEALED_SUFFIX = ".log.gz"
FULL_SUFFIX = ".full.log.gz"
LEVEL = 1
READ_BYTES = 256 * 1024
LOST = (
    "[slipway] its worker was lost here: what it said last may be missing, and lines from before "
    "may stand twice\n"
)


class Spool:
    """One visit's part: at most `room` bytes of text, then nothing but a note."""

    def __init__(self, folder: Path, name: str, room: int) -> None:
        """Begin it.

        Raises:
            OSError: the disk does not take it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}{OPEN_SUFFIX}"
        self._room = room
        self._full = False
        self._file: BinaryIO = self.path.open("xb")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._packer = gzip.GzipFile("", "wb", LEVEL, self._file, 0)

    def write(self, text: str) -> None:
        """Add whole lines; a disk that takes no more ends the part."""
        if self._full:
            return
        data = text.encode("utf-8", "replace")
        try:
            if len(data) > self._room:
                data = data[: data.rfind(b"\n", 0, self._room) + 1] + _full_note()
                self._full = True
            self._packer.write(data)
        except OSError:
            self._full = True
        self._room -= len(data)

    def is_full(self) -> bool:
        """Whether it takes no more."""
        return self._full

    def seal(self) -> Path:
        """End it; the file that is ready for S3.

        Raises:
            OSError: its end could not be written.
        """
        self._packer.close()
        self._file.flush()
        # Before the lock goes, or a sweep could take it for one of the dead.
        sealed = self.path.replace(
            self.path.with_suffix(FULL_SUFFIX if self._full else SEALED_SUFFIX)
        )
        self._file.close()
        return sealed

    def leave(self) -> None:
        """Leave it as it is to the next sweep, which notes that it has no end."""
        with suppress(OSError):
            self._packer.close()
        with suppress(OSError):
            self._file.close()

    def drop(self) -> None:
        """Have it never been."""
        self.leave()
        self.path.unlink(missing_ok=True)


def _full_note() -> bytes:
    return (
        b"[slipway] the whole log has reached its largest size: what follows is not kept, but for "
        b"the last lines of the run\n"
    )


@contextmanager
def taken(path: Path) -> Iterator[BinaryIO | None]:
    """A file that nobody writes to and nobody else has taken, or None."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # Whoever had it before may have been done with it.
        yield file if path.exists() else None


def mended(broken: IO[bytes], folder: Path) -> BinaryIO:
    """What can be read of a part whose worker died, packed anew, with a note at its end."""
    made = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - the caller closes it
    with gzip.GzipFile("", "wb", LEVEL, made, 0) as packer:
        last = b"\n"
        for text in unpacked(iter(lambda: broken.read(READ_BYTES), b"")):
            packer.write(text)
            last = text[-1:]
        packer.write((b"" if last == b"\n" else b"\n") + LOST.encode())
    made.seek(0)
    return made


def sizes(file: BinaryIO) -> tuple[int, int]:
    """Bytes of text and of the file; the text's stand at a gzip'd file's end (RFC 1952, ISIZE)."""
    file.seek(-4, os.SEEK_END)
    text = int.from_bytes(file.read(4), "little")
    size = file.tell()
    file.seek(0)
    return text, size
