"""What lies where a site is: seen at once, and for a moment good enough to go by."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workers.aws.sites.book import Book, Manifest, Place, Present, seen
from workers.aws.sites.plan import quiet

if TYPE_CHECKING:
    from collections.abc import Collection

FRESH = 10.0
"""Seconds for which a publishing's listing will do for the release that follows it."""


@dataclass(frozen=True)
class Found:
    """What lies at a place: the book with its mark, the objects, and one commit's manifest.

    `at` is when that was seen, in seconds on the monotonic clock.
    """

    book: Book
    mark: str
    there: dict[str, Present]
    manifest: Manifest | None = None
    at: float = field(default_factory=time.monotonic)

    def still(self, place: Place, keep: float, now: float) -> bool:
        """Whether a release may go by it: seen just now, and no other has been there since.

        `keep` is in seconds, `now` in seconds since 1970.
        """
        if time.monotonic() - self.at >= FRESH:
            return False
        # Where only the book is to be written, S3 tells: it takes none in place of an unread one.
        manifest = self.manifest
        alone = manifest and quiet(place, manifest, self.book, self.there, now, keep)
        return bool(alone) or place.book_mark() == self.mark


def look(place: Place, commit: str = "", names: Collection[str] = ()) -> Found:
    """Read book, listing and, of a commit, its manifest: all at once.

    `names` are some that may lie there, so that the pages of a long listing can be asked for at
    once.

    Raises:
        OurError: the bucket is missing, or not ours to read.
        PassingError: S3 is out of reach.
    """
    with ThreadPoolExecutor(2) as pool:
        listing = pool.submit(place.listing, names)
        manifest = pool.submit(place.read_manifest, commit) if commit else None
        book, mark = place.read_book()
        there = seen(book, listing.result())
        return Found(book, mark, there, manifest.result() if manifest else None)
