"""A zip or jar that the build itself made, taken as it is."""

import base64
import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from config.limits import OUTPUT_FILES, OUTPUT_NAMES
from config.units import size as shown
from workers.ledger.model.errors import UserError
from workers.packaging.deflate import HEAD, Blob
from workers.packaging.package import LARGEST, Package
from workers.packaging.tarstream import FILE, TarStream

Judge = Callable[[Mapping[str, Blob], Callable[[Blob], bytes]], None]
"""Takes an artifact's files, and what gives the first bytes of one."""

_PIECE = 1 << 20
_END = struct.Struct("<4s4H2LH")
_LONGEST_END = _END.size + 0xFFFF


def take(tar: Iterator[bytes], name: str, folder: Path, judge: Judge) -> Package:
    """The package that is the file which the tar holds alone; `name` is the file's in errors.

    `judge` may refuse what is in it.

    Raises:
        UserError: it is no regular file, no zip, or more than Lambda takes.
        PassingError: the stream broke off.
    """
    stream = TarStream(tar)
    member = next(iter(stream), None)
    if member is None or member.kind != FILE:
        raise UserError(f"the artifact {name} is not a regular file in the image")
    if member.size > LARGEST:
        raise UserError(f"the artifact {name} has {shown(member.size)}; {shown(LARGEST)} is most")
    unfinished, digest = folder / "unfinished.zip", hashlib.sha256()
    with unfinished.open("wb") as file:
        while data := stream.read(_PIECE):
            digest.update(data)
            file.write(data)
    unzipped, files = _looked_into(unfinished, name, judge)
    path = unfinished.rename(folder / f"{digest.hexdigest()}.zip")
    sha256 = base64.b64encode(digest.digest()).decode()
    return Package(path, sha256, member.size, unzipped, files)


def _looked_into(path: Path, name: str, judge: Judge) -> tuple[int, int]:
    """The bytes and the number of the files in a zip."""
    try:
        with path.open("rb") as file:
            _check_directory(file, name)
            with zipfile.ZipFile(file) as packed:
                entries = [entry for entry in packed.infolist() if not entry.is_dir()]
                total = sum(entry.file_size for entry in entries)
                judge(*_shown(packed, entries))
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError) as error:
        raise UserError(f"the artifact {name} is not a zip: {error}") from None
    if total > LARGEST:
        raise UserError(
            f"the artifact {name} has {shown(total)} of files; Lambda takes {shown(LARGEST)}"
        )
    return total, len(entries)


def _shown(
    packed: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]
) -> tuple[dict[str, Blob], Callable[[Blob], bytes]]:
    """The files of a zip, and what gives the first bytes of one."""
    files = {
        entry.filename: Blob(entry.file_size, bool(entry.external_attr >> 16 & 0o111))
        for entry in entries
    }
    names = {id(blob): name for name, blob in files.items()}

    def head(blob: Blob) -> bytes:
        with packed.open(names[id(blob)]) as file:
            return file.read(HEAD)

    return files, head


def _check_directory(file: BinaryIO, name: str) -> None:
    """See that the zip's list of files is one to read whole, by what its end says of it."""
    end = file.seek(0, 2)
    file.seek(max(0, end - _LONGEST_END))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise UserError(f"the artifact {name} is not a zip")
    _, _, _, _, count, length, _, _ = _END.unpack_from(tail, at)
    if count > min(OUTPUT_FILES, 0xFFFE) or length > OUTPUT_NAMES:
        raise UserError(f"the artifact {name} lists more files than Slipway takes")
