"""Builds tars in memory for the tests."""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One member of a tar."""

    name: str
    data: bytes = b""
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    mode: int = 0o644
    mtime: int = 1_700_000_000


def folder(name: str) -> Entry:
    """A folder."""
    return Entry(name, kind=tarfile.DIRTYPE, mode=0o755)


def symlink(name: str, target: str) -> Entry:
    """A symbolic link."""
    return Entry(name, kind=tarfile.SYMTYPE, link=target)


def tar(*entries: Entry, form: int = tarfile.PAX_FORMAT) -> bytes:
    """The tar of the build path with these members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as file:
        for entry in (folder("."), *entries):
            info = tarfile.TarInfo(entry.name if entry.name == "." else f"./{entry.name}")
            info.type, info.linkname, info.mode = entry.kind, entry.link, entry.mode
            info.size, info.mtime = len(entry.data), entry.mtime
            file.addfile(info, io.BytesIO(entry.data))
    return out.getvalue()


def chunks(data: bytes, size: int = 32 << 10) -> Iterator[bytes]:
    """The data as an engine would send it."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
