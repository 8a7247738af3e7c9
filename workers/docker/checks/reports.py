"""Takes what a check left, its HTML report or its JUnit XML, from a tar stream into one file."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workers.ledger.model.errors import UserError
from workers.packaging.deflate import Blob
from workers.packaging.tarstream import Member, TarStream
from workers.packaging.tree_reader import TreeReader

MOST_BYTES = 50 << 20
MOST_FILES = 5000
_PIECE = 1 << 20
_LONGEST_NAME = 800
"""Bytes: S3's keys have 1,024 at most, and the run's prefix stands before it."""


@dataclass(frozen=True)
class Left:
    """Files on this machine: offset and size in bytes of each, one after the other in `spool`."""

    spool: Path
    files: Mapping[str, tuple[int, int]]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for _, size in self.files.values())

    @property
    def index(self) -> str | None:
        """The page to begin with: an index.html, the nearest to the top."""
        pages = [name for name in self.files if name.endswith((".html", ".htm"))]
        order = sorted(pages, key=lambda n: (n.count("/"), not n.endswith("index.html"), n))
        indexes = [name for name in order if name.rpartition("/")[2] == "index.html"]
        return next(iter(indexes or order), None)

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        offset, size = self.files[name]
        with self.spool.open("rb") as file:
            file.seek(offset)
            return file.read(size)


def fetch(
    open_tar: Callable[[str], AbstractContextManager[Iterator[bytes]]], path: str, spool: Path
) -> Left:
    """The files that a check left at a path; the tar is never unpacked.

    Raises:
        UserError: there is nothing, a link or device is in it, or it is too large; it is named.
        PassingError: the engine went away.
    """
    with open_tar(path) as tar, spool.open("wb") as file:
        reader = _Reader(TarStream(tar), path, file)
        tree = reader.read()
    for name, target in tree.links.items():
        raise UserError(f"{path}/{name} is a link to {target!r}")
    for name, what in tree.special.items():
        raise UserError(f"{path}/{name} is {what}")
    if not tree.files:
        raise UserError(f"{path} holds no file")
    left = Left(spool, {name: blob.parts[0] for name, blob in sorted(tree.files.items())})
    if left.size > MOST_BYTES or len(left.files) > MOST_FILES:  # a hard link is a file of its own
        raise _too_much(path)
    return left


def _too_much(path: str) -> UserError:
    return UserError(f"{path} has more than {MOST_BYTES >> 20} MB or {MOST_FILES} files")


class _Reader(TreeReader):
    """Appends each file to the spool."""

    def __init__(self, tar: TarStream, path: str, spool: BinaryIO) -> None:
        super().__init__(tar, "/")
        self._path = path
        self._spool = spool
        self._end = 0
        self._files = 0

    def store(self, name: str, member: Member) -> Blob:
        """Append it, unless that is too much."""
        self._files += 1
        if self._end + member.size > MOST_BYTES or self._files > MOST_FILES:
            raise _too_much(self._path)
        try:
            long = len(name.encode()) > _LONGEST_NAME
        except UnicodeEncodeError:
            long = True
        if long:
            raise UserError(f"{self._path}/{name[:100]!r}… is too long, or not UTF-8")
        offset = self._end
        self._end += member.size
        while data := self._tar.read(_PIECE):
            self._spool.write(data)
        return Blob(member.size, member.executable, parts=[(offset, member.size)])
