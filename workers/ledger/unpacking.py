"""Text out of gzip'd bytes as they come, in bounded memory."""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress

MOST_BYTES = 256 * 1024
_FED_BYTES = 64 * 1024
_GZIP = 31


def unpacked(packed: Iterable[bytes]) -> Iterator[bytes]:
    """The text of gzip'd bytes, of one file or several after each other, as far as it goes.

    256 KB at once at most: a few packed bytes can mean very many.
    """
    reader = zlib.decompressobj(_GZIP)
    for data in _small(packed):
        left = data
        while left:
            try:
                text = reader.decompress(left, MOST_BYTES)
            except zlib.error:
                return
            if text:
                yield text
            left = reader.unconsumed_tail or reader.unused_data
            if reader.eof:
                reader = zlib.decompressobj(_GZIP)
    with suppress(zlib.error):
        while text := reader.decompress(reader.unconsumed_tail, MOST_BYTES):
            yield text


def _small(packed: Iterable[bytes]) -> Iterator[bytes]:
    for data in packed:
        for start in range(0, len(data), _FED_BYTES):
            yield data[start : start + _FED_BYTES]
