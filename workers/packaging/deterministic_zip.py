"""Writes a zip whose bytes depend on its files' names, contents and executable bits alone.

Names are sorted, all times are 1980-01-01 (the format's first), modes 0644 or 0755, no extra
fields; a link has its target as content. Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.4.
"""

import base64
import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from workers.packaging.deflate import Blob, Spool

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")
_MOST_WITHOUT_ZIP64 = 0xFFFF
_VERSION, _VERSION64 = 20, 45
_UNIX = 3 << 8
_UTF8 = 0x800
_DEFLATED = 8
_NEW_YEAR_1980 = (0, 1 << 5 | 1)  # time, date
_FLUSH = 1 << 20


class Written(NamedTuple):
    """The zip's SHA-256 (base64, as AWS gives it) and its size in bytes."""

    sha256: str
    size: int


class _Output:
    """Buffers, counts and hashes what is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._waits = 0
        self.size = 0

    def write(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waits += len(data)
        self.size += len(data)
        if self._waits >= _FLUSH:
            self.flush()

    def flush(self) -> None:
        data = b"".join(self._waiting)
        self._hash.update(data)
        self._file.write(data)
        self._waiting, self._waits = [], 0

    def sha256(self) -> str:
        return base64.b64encode(self._hash.digest()).decode()


def write(path: Path, files: Mapping[str, Blob], spool: Spool) -> Written:
    """Write the zip of files whose packed bytes are in the spool; 4 GB at most.

    Raises:
        UnicodeEncodeError: a name is not UTF-8.
    """
    directory = []
    with path.open("wb") as file:
        output = _Output(file)
        for name in sorted(files, key=str.encode):
            blob, name_bytes = files[name], name.encode()
            directory.append(_central(name_bytes, blob, output.size))
            output.write(_local(name_bytes, blob))
            for chunk in spool.read(blob):
                output.write(chunk)
        start = output.size
        for record in directory:
            output.write(record)
        output.write(_end(len(directory), start, output.size - start))
        output.flush()
    return Written(output.sha256(), output.size)


def _common(name: bytes, blob: Blob) -> tuple[int, ...]:
    flags = 0 if name.isascii() else _UTF8
    method = _DEFLATED if blob.deflated else 0
    sizes = (blob.crc, blob.packed_size, blob.size)
    return (_VERSION, flags, method, *_NEW_YEAR_1980, *sizes, len(name), 0)


def _local(name: bytes, blob: Blob) -> bytes:
    return _LOCAL.pack(b"PK\3\4", *_common(name, blob)) + name


def _central(name: bytes, blob: Blob, offset: int) -> bytes:
    mode = 0o120777 if blob.link else 0o100755 if blob.executable else 0o100644
    common = _common(name, blob)
    return _CENTRAL.pack(b"PK\1\2", _UNIX | _VERSION, *common, 0, 0, 0, mode << 16, offset) + name


def _end(count: int, start: int, size: int) -> bytes:
    if count < _MOST_WITHOUT_ZIP64:
        return _END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0)
    end64 = _END64.pack(
        b"PK\6\6", 44, _UNIX | _VERSION64, _VERSION64, 0, 0, count, count, size, start
    )
    locator = _LOCATOR64.pack(b"PK\6\7", 0, start + size, 1)
    return end64 + locator + _END.pack(b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, size, start, 0)
