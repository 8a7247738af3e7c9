"""What a site's release must do, from what is wanted and what lies there; asks nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from workers.aws.sites.book import Book, File, Manifest, Place, Present
from workers.aws.sites.headers import IMMUTABLE, is_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


Times = dict[str, float | None]


class Put(NamedTuple):
    """A file to send: its key, its name in the site, and whether it goes there as a mere blob."""

    key: str
    name: str
    file: File
    blob: bool


class Move(NamedTuple):
    """A file that users will notice: copied from `source` to its name; `before` lies there now."""

    name: str
    file: File
    source: str
    before: Present | None


@dataclass
class Ahead:
    """What is sent before the release, in this order; nobody notices any of it."""

    assets: list[Put] = field(default_factory=list)
    others: list[Put] = field(default_factory=list)

    @property
    def puts(self) -> list[Put]:
        """All of it."""
        return [*self.assets, *self.others]


@dataclass
class Switch:
    """What the release does: `moves` in this order, pages last."""

    others: list[Move] = field(default_factory=list)
    pages: list[Move] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def moves(self) -> list[Move]:
        """All of them."""
        return [*self.others, *self.pages]


def ahead(place: Place, manifest: Manifest, book: Book, there: Mapping[str, Present]) -> Ahead:
    """What must be sent: new names at once, what would change something as a blob.

    A name that a sending which never ended has left behind (no ETag on record) is sent again.
    """
    plan = Ahead()
    blobs: set[str] = set()
    for name, file in manifest.files.items():
        found = there.get(name)
        known = book.files.get(name)
        unfinished = known is not None and known.until is not None and not known.etag
        if not is_page(file.headers) and (found is None or unfinished):
            kept = file.headers.cache_control == IMMUTABLE
            put = Put(place.key(name), name, file, blob=False)
            (plan.assets if kept else plan.others).append(put)
        elif (found is None or found.sha256 != file.sha256) and file.sha256 not in blobs:
            if file.sha256 not in book.blobs:
                plan.others.append(Put(place.blob(file.sha256), name, file, blob=True))
            blobs.add(file.sha256)
    return plan


def switch(place: Place, manifest: Manifest, book: Book, there: Mapping[str, Present]) -> Switch:
    """What must be copied so that the manifest's files are live."""
    plan = Switch()
    for name, file in manifest.files.items():
        found = there.get(name)
        if found and found.holds(file):
            continue
        if found and found.sha256 == file.sha256:
            source = place.key(name)
        elif file.sha256 in book.blobs:
            source = place.blob(file.sha256)
        else:
            plan.missing.append(name)
            continue
        move = Move(name, file, source, found)
        (plan.pages if is_page(file.headers) else plan.others).append(move)
    return plan


def lost(plan: Switch, book: Book) -> dict[str, str]:
    """What would be overwritten and has no blob: the blob that it needs, and the name it has."""
    found = {}
    for move in plan.moves:
        before = move.before
        if before and before.sha256 != move.file.sha256 and before.content not in book.blobs:
            found[before.content] = move.name
    return found


def later(times: Mapping[str, float | None], names: Iterable[str], until: float) -> Times:
    """The times, where those of some names are not before `until`; what is live stays so."""
    found = dict(times)
    for name in names:
        before = found.get(name)
        if before is not None:
            found[name] = max(before, until)
    return found


def needed_files(book: Book, manifest: Manifest, until: float) -> dict[str, Present]:
    """The book's files, where those that a manifest counts on stay until then."""
    files = dict(book.files)
    for name in manifest.files:
        known = files.get(name)
        if known and known.until is not None and known.until < until:
            files[name] = known.model_copy(update={"until": until})
    return files


def awaited(book: Book, blobs: Iterable[str], until: float) -> Book:
    """The book before more blobs are written, which may go then unless a release needs them."""
    pending = {**book.pending, **dict.fromkeys(blobs, until)}
    return book.model_copy(update={"pending": pending})


def arrived(book: Book, blobs: Iterable[str]) -> Book:
    """The book once they are there."""
    known: Times = {one: book.pending[one] for one in blobs}
    pending = {one: until for one, until in book.pending.items() if one not in known}
    return book.model_copy(update={"pending": pending, "blobs": {**known, **book.blobs}})


def released(
    book: Book, manifest: Manifest, there: Mapping[str, Present], now: float, keep: float
) -> Book:
    """The book once the manifest is live: what it does not hold may go after `keep` seconds."""

    def until(live: bool, before: float | None) -> float | None:  # noqa: FBT001 - a local word
        return None if live else (now + keep if before is None else before)

    files = {}
    for name, present in there.items():
        wanted = manifest.files.get(name)
        if wanted or (name in book.files and present.sha256):
            when = until(wanted is not None, present.until)
            same = when == present.until
            files[name] = present if same else present.model_copy(update={"until": when})
    used = {file.sha256 for file in manifest.files.values()}
    commits = {**book.commits, manifest.commit: None}
    return Book(
        commit=manifest.commit,
        files=files,
        blobs={one: until(one in used, was) for one, was in book.blobs.items()},
        pending=book.pending,
        commits={one: until(one == manifest.commit, was) for one, was in commits.items()},
    )


class Expired(NamedTuple):
    """What has had its time: names in the site, blobs, commits."""

    files: list[str]
    blobs: list[str]
    commits: list[str]

    def keys(self, place: Place) -> list[str]:
        """All of them as keys."""
        return [
            *map(place.key, self.files),
            *map(place.blob, self.blobs),
            *map(place.manifest_key, self.commits),
        ]


def expired(book: Book, there: Mapping[str, Present], now: float) -> Expired:
    """What may be removed; never what somebody else has written over since."""

    def gone(until: float | None) -> bool:
        return until is not None and until <= now

    ours = {name for name, present in there.items() if present.sha256}
    return Expired(
        [name for name, one in book.files.items() if gone(one.until) and name in ours],
        [one for one, until in (*book.pending.items(), *book.blobs.items()) if gone(until)],
        [one for one, until in book.commits.items() if gone(until)],
    )


def without(book: Book, removed: Expired) -> Book:
    """The book after a removal."""
    return Book(
        commit=book.commit,
        files={name: one for name, one in book.files.items() if name not in removed.files},
        blobs={one: until for one, until in book.blobs.items() if one not in removed.blobs},
        pending={one: until for one, until in book.pending.items() if one not in removed.blobs},
        commits={one: until for one, until in book.commits.items() if one not in removed.commits},
    )


def quiet(  # noqa: PLR0913, PLR0917 - all that a release is decided by
    place: Place,
    manifest: Manifest,
    book: Book,
    there: Mapping[str, Present],
    now: float,
    keep: float,
) -> bool:
    """Whether a release would do nothing but write another book."""
    plan = switch(place, manifest, book, there)
    if plan.moves or plan.missing:
        return False
    final = released(book, manifest, there, now, keep)
    return final != book and not any(expired(final, there, now))
