"""Static sites in S3: sent ahead unnoticed, switched with the pages last, put back in seconds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from config.units import duration
from workers.aws.sites import plan as planning
from workers.aws.sites.book import Book, Manifest, Place, Present, seen
from workers.aws.sites.found import Found, look
from workers.aws.sites.headers import is_page
from workers.aws.sites.transfer import Body, Transfer, remove, watched
from workers.ledger.model.errors import OurError, RunError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workers.aws.sites.plan import Expired, Move, Put, Switch

KEEP = 7 * 24 * 3600.0
"""Seconds that a file stays after a release that has no use for it, unless somebody says else."""


@dataclass(frozen=True)
class Sent:
    """What a publishing sent: files, and their size in bytes; what lies there if it sent none."""

    files: int
    size: int
    found: Found | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Released:
    """What a release changed: files that were switched, objects that had had their time."""

    switched: int
    removed: int


@dataclass(frozen=True)
class Rules:
    """How a site is kept, and three ways back to the caller.

    `keep` is in seconds; `watch` is asked between requests and raises to stop; `say` takes a line
    for the log; `left` takes what lies there and should not; `clock` gives seconds since 1970.
    """

    keep: float = KEEP
    watch: Callable[[], None] = lambda: None
    say: Callable[[str], None] = lambda _line: None
    left: Callable[[str], None] = lambda _why: None
    clock: Callable[[], float] = time.time


def publish(
    place: Place, manifest: Manifest, source: Callable[[], Callable[[str], Body]], rules: Rules
) -> Sent:
    """Send what the manifest's release will need; nothing that is live changes.

    `source` is called once, if anything must be sent, and gives each file's bytes by its name.
    Repeating it is harmless and sends only what is not there. One caller at a time for each place.

    Raises:
        OurError: the bucket is missing, or not ours to write.
        PassingError: S3 is out of reach.
    """
    found = look(place, names=manifest.files)
    book, mark, there = found.book, found.mark, found.there
    plan = planning.ahead(place, manifest, book, there)
    until = rules.clock() + rules.keep
    puts = plan.puts
    promised = _promised(book, manifest, puts, until)
    if puts:
        # Written first, so that what a lost worker leaves behind is removed by a later release.
        mark = place.write_book(promised, mark)
        bodies, transfer = source(), Transfer(place)

        def send(one: Put) -> tuple[str, str]:
            headers = None if one.blob else one.file.headers
            return one.name, transfer.put(one.key, one.file, bodies(one.name), headers)

        sent = dict(watched(send, plan.assets, rules.watch))
        sent |= dict(watched(send, plan.others, rules.watch))
        promised = _sent(promised, puts, sent)
    rules.watch()
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(place.write_manifest, manifest)
        if promised != book:
            mark = place.write_book(promised, mark)
        written.result()
    if not puts:
        return Sent(0, 0, replace(found, book=promised, mark=mark, manifest=manifest))
    return Sent(len(puts), sum(one.file.size for one in puts))


def release(
    place: Place,
    manifest: Manifest,
    rules: Rules,
    begin: Callable[[int], None] = lambda _switched: None,
    found: Found | None = None,
) -> Released:
    """Make a published manifest live: pages last, or everything back if one file fails.

    `begin` is told how many files will change, before the first does. `found` is what `look` gave
    a moment ago.

    Raises:
        OurError: something that was published is gone.
        PassingError: S3 is out of reach; the site is as it was, as far as S3 answers.
    """
    found = found or look(place)
    book, mark, there = found.book, found.mark, found.there
    plan = planning.switch(place, manifest, book, there)
    if plan.missing:
        raise OurError(
            f"{place.url}: {len(plan.missing)} files of commit {manifest.commit[:7]} are gone, "
            f"such as {plan.missing[0]!r} (kept for {duration(rules.keep)} after a release "
            "without them): retry the run"
        )
    begin(len(plan.moves))
    book, mark = _secured(place, book, mark, plan, rules)
    begun: list[Move] = []
    try:
        book = _switched(place, book, plan, begun, rules)
        return _settled(place, manifest, book, mark, there, rules, len(begun))
    except (StoppedError, RedisError):
        # Another worker may be at it already.
        raise
    except Exception:
        _put_back(place, begun, rules)
        raise


def missing(place: Place, manifest: Manifest) -> list[str]:
    """The files of a manifest whose bytes are no longer kept."""
    found = look(place)
    return planning.switch(place, manifest, found.book, found.there).missing


def _promised(book: Book, manifest: Manifest, puts: list[Put], until: float) -> Book:
    """The book with what is about to be sent and what is needed, to be removed if nobody does."""
    files = planning.needed_files(book, manifest, until)
    for one in puts:
        if not one.blob:
            before = files.get(one.name)
            files[one.name] = Present(
                sha256=one.file.sha256,
                headers=one.file.headers,
                until=before.until if before else until,
            )
    needed = {file.sha256 for file in manifest.files.values()}
    blobs = planning.later(book.blobs, needed, until)
    commits = planning.later({manifest.commit: until, **book.commits}, {manifest.commit}, until)
    known = book.model_copy(update={"files": files, "blobs": blobs, "commits": commits})
    return planning.awaited(known, _blobs(puts), until)


def _blobs(puts: list[Put]) -> list[str]:
    return [one.file.sha256 for one in puts if one.blob]


def _sent(book: Book, puts: list[Put], etags: Mapping[str, str]) -> Book:
    files = dict(book.files)
    for one in puts:
        if not one.blob:
            files[one.name] = files[one.name].model_copy(update={"etag": etags[one.name]})
    return planning.arrived(book.model_copy(update={"files": files}), _blobs(puts))


def _secured(place: Place, book: Book, mark: str, plan: Switch, rules: Rules) -> tuple[Book, str]:
    """Copies of what would be overwritten, for the way back."""
    lost = planning.lost(plan, book)
    if not lost:
        return book, mark
    book = planning.awaited(book, lost, rules.clock() + rules.keep)
    mark = place.write_book(book, mark)
    transfer = Transfer(place)
    watched(
        lambda one: transfer.copy(place.key(one[1]), place.blob(one[0])), lost.items(), rules.watch
    )
    book = planning.arrived(book, lost)
    return book, place.write_book(book, mark)


def _switched(place: Place, book: Book, plan: Switch, begun: list[Move], rules: Rules) -> Book:
    files = dict(book.files)
    transfer = Transfer(place)

    def go(move: Move) -> None:
        begun.append(move)
        etag = transfer.copy(move.source, place.key(move.name), move.file.headers)
        files[move.name] = Present(sha256=move.file.sha256, headers=move.file.headers, etag=etag)

    for moves in (plan.others, plan.pages):
        watched(go, moves, rules.watch)
    return book.model_copy(update={"files": files})


def _settled(  # noqa: PLR0913, PLR0917 - what was found, what was done and by which rules
    place: Place,
    manifest: Manifest,
    book: Book,
    mark: str,
    there: Mapping[str, Present],
    rules: Rules,
    switched: int,
) -> Released:
    """Write down what is live, and remove what has had its time."""
    if switched:
        there = seen(book, place.listing())
    now = rules.clock()
    final = planning.released(book, manifest, there, now, rules.keep)
    gone = planning.expired(final, there, now)
    keys = _removed(place, gone, rules)
    if keys:
        final = planning.without(final, gone)
    rules.watch()
    if final != book:
        place.write_book(final, mark)
    return Released(switched, keys)


def _removed(place: Place, gone: Expired, rules: Rules) -> int:
    """How many objects were removed; none if S3 does not want to, which is no reason to fail."""
    keys = gone.keys(place)
    try:
        remove(place, keys)
    except RunError as error:
        why = f"old files stay until the next release: {error}"
        rules.say(why)
        rules.left(why)
        return 0
    return len(keys)


def _put_back(place: Place, begun: list[Move], rules: Rules) -> None:
    """Undo what has been switched, pages first; what can't be undone is said."""
    left: list[str] = []

    def back(move: Move) -> None:
        before = move.before
        changed = before is not None and before.sha256 != move.file.sha256
        blob = place.blob(before.content) if before and changed else None
        try:
            transfer.restore(move.name, before, blob)
        except Exception as error:  # noqa: BLE001 - the others still go back
            left.append(f"{move.name} may still be the new one: {error}")
            rules.say(left[-1])

    transfer = Transfer(place)
    if begun:
        rules.say(f"putting {len(begun)} files back")
    for pages in (True, False):
        moves = [move for move in begun if is_page(move.file.headers) is pages]
        watched(back, moves, lambda: None)
    if left:
        others = f" ({len(left) - 1} more like it)" if len(left) > 1 else ""
        rules.left(f"{left[0]}{others}")
