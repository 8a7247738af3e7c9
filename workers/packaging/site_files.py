"""Takes a site's files from a tar stream into one file on disk, with their hashes.

The tar is never unpacked: the bytes of all files stand one after the other in a spool file, so
nothing in the tar can name a path on this machine.
"""

import codecs
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from config.limits import OUTPUT_FILE
from workers.ledger.model.errors import UserError
from workers.ledger.model.guard import Watch
from workers.packaging.deflate import Blob
from workers.packaging.selection import Patience
from workers.packaging.tarstream import Member, TarStream
from workers.packaging.tree_reader import TreeReader

LARGEST = OUTPUT_FILE
"""Bytes that a site may have: S3 takes 5 GB in one request."""

LONGEST_NAME = 900
"""Bytes of a name: S3's keys have 1,024 at most, and the environment's name stands before it."""

_PIECE = 1 << 20


@dataclass(frozen=True)
class SiteFile:
    """One file in the spool: SHA-256 in hex, size and offset in bytes."""

    sha256: str
    size: int
    offset: int
    utf8: bool
    html: bool = False


@dataclass(frozen=True)
class SiteFiles:
    """A site on this machine: its files by name, and the spool that holds their bytes."""

    spool: Path
    files: Mapping[str, SiteFile]

    def body(self, name: str) -> bytes | BinaryIO:
        """A file's bytes; of a large file something to read them from."""
        file = self.files[name]
        part = _Part(self.spool, file.offset, file.size)
        if file.size > _PIECE:
            return cast("BinaryIO", io.BufferedReader(part, _PIECE))
        with part:
            return part.readall()


class _Part(io.RawIOBase):
    """A part of the spool, as a file of its own."""

    def __init__(self, spool: Path, offset: int, size: int) -> None:
        self._file = spool.open("rb", buffering=0)
        self._offset = offset
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        most = max(0, min(len(buffer), self._size - self._at))
        data = os.pread(self._file.fileno(), most, self._offset + self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def read_site(
    tar: Iterator[bytes], spool: Path, *, root: str = "/", watch: Watch | None = None
) -> SiteFiles:
    """The files of a site; links inside the tree become copies of what they point to.

    `tar` holds the site's path as `docker cp` gives it, `root` is that path in the image. `watch`
    is asked while its links are followed.

    Raises:
        UserError: the output can't be a site; the text names the file.
        PassingError: the stream broke off.
        OurError: the stream is not a tar that an engine writes.
    """
    with spool.open("wb") as file:
        reader = _Reader(TarStream(tar), root, file)
        chosen = reader.read().choose(lambda _: True, Patience(watch).ask)
    if not chosen:
        raise UserError(f"the site would be empty: {root} holds no file")
    # What links copy is sent once for each name.
    if sum(max(blob.size, 1) for blob in chosen.values()) > LARGEST:
        raise _too_large()
    for name in chosen:
        _check_name(name)
    files = {name: reader.kept[blob.parts[0][0]] for name, blob in sorted(chosen.items())}
    return SiteFiles(spool, files)


class _Reader(TreeReader):
    """Writes each file's bytes into the spool; `kept` has them by their offset there."""

    def __init__(self, tar: TarStream, root: str, spool: BinaryIO) -> None:
        super().__init__(tar, root)
        self._spool = spool
        self._end = 0
        self.kept: dict[int, SiteFile] = {}

    def store(self, name: str, member: Member) -> Blob:
        """Append it, unless the site is too large."""
        del name
        offset = self._end
        # An empty file takes a byte too, so that an offset is one file's alone.
        self._end += max(member.size, 1)
        if self._end > LARGEST:
            raise _too_large()
        digest = hashlib.sha256()
        text, head = _Text(), b""
        self._spool.seek(offset)
        while data := self._tar.read(_PIECE):
            digest.update(data)
            text.feed(data)
            head = head or data
            self._spool.write(data)
        self.kept[offset] = SiteFile(
            digest.hexdigest(), member.size, offset, text.valid(), _is_html(head)
        )
        return Blob(member.size, member.executable, parts=[(offset, member.size)])


def _is_html(head: bytes) -> bool:
    """As browsers see it (WHATWG MIME Sniffing Standard, section 7.1), of its plainest forms."""
    begin = head[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return begin.startswith((b"<!doctype html", b"<html>", b"<html "))


def _too_large() -> UserError:
    return UserError(f"the site has more than {LARGEST / 1e9:.1f} GB of files")


class _Text:
    """Whether bytes that come in pieces are UTF-8."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._good = True

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Look at the next piece."""
        if self._good:
            try:
                self._decoder.decode(data, final)
            except UnicodeDecodeError:
                self._good = False

    def valid(self) -> bool:
        """Whether all of it was."""
        self.feed(b"", final=True)
        return self._good


def _check_name(name: str) -> None:
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        raise UserError(f"{name!r} is not UTF-8; S3 can't hold such a name") from None
    if len(raw) > LONGEST_NAME:
        raise UserError(f"{name[:100]!r}… has {len(raw)} bytes; S3 takes {LONGEST_NAME} here")
