"""Compresses files in threads and keeps the result in one spool file, within bounded memory.

zlib-ng releases the interpreter's lock while it compresses. Files go in batches because handing
over one by one costs more than compressing it; big ones in pieces, each primed with the 32 KB
before it, as pigz does. A fresh compressor for each piece makes the bytes depend on nothing else.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from zlib_ng import zlib_ng

PIECE = 1 << 20
HEAD = 200
_BATCH = 512 << 10
_WAITING = 6
_LEVEL = 6
_WINDOW = 32 << 10
_RAW_DEFLATE = -15
_THREADS = 2


@dataclass(slots=True)
class Blob:
    """One file's content in the spool; sizes in bytes."""

    size: int
    executable: bool
    deflated: bool = False
    packed: bool = False  # ready to be put in a zip: its checksum is known
    crc: int = 0
    link: str = ""  # what it leads to, where it is a link that stays one
    parts: list[tuple[int, int]] = field(default_factory=list)  # offset, length

    @property
    def packed_size(self) -> int:
        """Bytes that it takes in the spool, and in a zip."""
        return sum(length for _, length in self.parts)


class _Piece(NamedTuple):
    blob: Blob
    part: int
    data: bytes
    before: bytes
    last: bool


class Spool:
    """An append-only temporary file, written from several threads."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._end = 0

    def append(self, data: bytes) -> int:
        """Add the data; the answer is its offset."""
        with self._lock:
            offset = self._end
            self._end += len(data)
        done = 0
        while done < len(data):
            done += os.pwrite(self._file.fileno(), memoryview(data)[done:], offset + done)
        return offset

    def read(self, blob: Blob) -> Iterator[bytes]:
        """The blob's bytes, as kept, in chunks of at most 1 MB."""
        for offset, length in blob.parts:
            for start in range(offset, offset + length, PIECE):
                yield os.pread(self._file.fileno(), min(PIECE, offset + length - start), start)

    def head(self, blob: Blob) -> bytes:
        """The first 200 bytes of a file as it was."""
        data = next(self.read(blob), b"")
        if not blob.deflated:
            return data[:HEAD]
        return bytes(zlib_ng.decompressobj(_RAW_DEFLATE).decompress(data, HEAD))


class Deflater:
    """Compresses what it is given into the spool; leaving the context waits for all of it."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="deflate")
        self._running: deque[Future[None]] = deque()
        self._batch: list[_Piece] = []
        self._batched = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, blob: Blob, read: Callable[[int], bytes]) -> None:
        """Compress one file; `read(most)` gives its bytes until it gives none."""
        blob.packed = True
        data = read(PIECE)
        if blob.size <= PIECE:
            self._put(_Piece(blob, 0, data, b"", last=True))
            return
        blob.deflated = True
        before, done, index = b"", 0, 0
        while data:
            done += len(data)
            blob.crc = zlib_ng.crc32(data, blob.crc)
            self._put(_Piece(blob, index, data, before, last=done == blob.size))
            before, index = data[-_WINDOW:], index + 1
            data = read(PIECE)

    def keep(self, blob: Blob, read: Callable[[int], bytes]) -> None:
        """Keep one file as it is, for it may never be needed."""
        while data := read(PIECE):
            blob.parts.append((self.spool.append(data), len(data)))

    def add_link(self, blob: Blob) -> None:
        """Put in a link that stays one: what it leads to is its content."""
        data = blob.link.encode(errors="surrogateescape")
        blob.packed, blob.size, blob.crc = True, len(data), zlib_ng.crc32(data)
        blob.parts = [(self.spool.append(data), len(data))]

    def add_kept(self, blob: Blob) -> None:
        """Compress a file that was only kept."""
        chunks = self.spool.read(Blob(blob.size, blob.executable, parts=blob.parts))
        blob.parts = []
        self.add(blob, lambda _most: next(chunks, b""))

    def finish(self) -> None:
        """Wait until all that was added is in the spool."""
        self._send()
        while self._running:
            self._running.popleft().result()

    def _put(self, piece: _Piece) -> None:
        piece.blob.parts.append((0, 0))
        self._batch.append(piece)
        self._batched += len(piece.data) + 64
        if self._batched >= _BATCH:
            self._send()

    def _send(self) -> None:
        if len(self._running) >= _WAITING:
            self._running.popleft().result()
        self._running.append(self._pool.submit(self._work, self._batch))
        self._batch, self._batched = [], 0

    def _work(self, batch: list[_Piece]) -> None:
        packed = [_deflate(piece) for piece in batch]
        offset = self.spool.append(b"".join(packed))
        for piece, data in zip(batch, packed, strict=True):
            piece.blob.parts[piece.part] = (offset, len(data))
            offset += len(data)


def _deflate(piece: _Piece) -> bytes:
    data, blob = piece.data, piece.blob
    if blob.size > PIECE:
        return _deflate_piece(piece)
    blob.crc = zlib_ng.crc32(data)
    packed: bytes = zlib_ng.compress(data, _LEVEL, _RAW_DEFLATE)
    blob.deflated = len(packed) < len(data)
    return packed if blob.deflated else data


def _deflate_piece(piece: _Piece) -> bytes:
    packer = zlib_ng.compressobj(_LEVEL, zlib_ng.DEFLATED, _RAW_DEFLATE, zdict=piece.before)
    end = zlib_ng.Z_FINISH if piece.last else zlib_ng.Z_SYNC_FLUSH
    return bytes(packer.compress(piece.data) + packer.flush(end))
