"""What one follower of a run is told, as server-sent events that can be resumed anywhere.

The format: HTML Living Standard, section 9.2 (Server-sent events).
"""

import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple, Self

from service import followers
from service.api import present
from service.web import Web
from workers.ledger.watch import START, Entry, Watch

RETRY_MILLISECONDS = 2000
HEARTBEAT_SECONDS = 15.0
HEARTBEAT = ":\n\n"
LIFE_SECONDS = 300.0
_PLACE = re.compile(r"([0-9]{1,18}-[0-9]{1,18})(?:\.((?:[0-9a-f]{8}){0,50}))?(\.end)?")
_PRINT = 8


@dataclass(slots=True)
class Place:
    """How far a follower has come: the last log entry, and a print of all else that it was told.

    Its text is the `id:` of each event, so any process can go on from there.
    """

    cursor: str = START
    prints: tuple[str, ...] = ()
    ended: bool = False

    @classmethod
    def read(cls, text: str) -> Self | None:
        """From an event's id, or from a cursor of the log; None if it is neither."""
        if text in ("", "-"):
            return cls()
        found = _PLACE.fullmatch(text)
        if found is None:
            return None
        prints = found[2] or ""
        parts = (prints[at : at + _PRINT] for at in range(0, len(prints), _PRINT))
        return cls(found[1], tuple(parts), ended=found[3] is not None)

    def __str__(self) -> str:
        return f"{self.cursor}.{''.join(self.prints)}{'.end' if self.ended else ''}"

    def told(self, index: int, new: str) -> bool:
        """Whether the follower knows this already, by its print; from now on it does."""
        prints = [*self.prints, *["0" * _PRINT] * (index + 1 - len(self.prints))]
        known = prints[index] == new
        prints[index] = new
        self.prints = tuple(prints)
        return known


class Fact(NamedTuple):
    """A run, or one of its stages, as followers are told of it."""

    kind: str
    text: str
    print: str


class Facts(NamedTuple):
    """What one look at a run has seen; at index 0 the run, then each of its stages."""

    rows: tuple[Fact, ...]
    final: bool
    end: str


def look(web: Web, run_id: str) -> Facts | None:
    """What there is to tell of a run now, beside its log; None when it is no longer kept."""
    run = web.ledger.history.run(run_id)
    if run is None:
        return None
    shown = present.run(run, web.url) | {"approval": present.approval(web, run)}
    stages = shown.pop("stages")
    rows = (_fact("run", shown), *(_fact("stage", stage) for stage in stages))
    end = json.dumps({"state": run.state, "error": run.error})
    return Facts(rows, run.state.final, end)


def _fact(kind: str, what: dict[str, Any]) -> Fact:
    sums = zlib.crc32(json.dumps(what, sort_keys=True).encode())
    return Fact(kind, json.dumps(what), f"{sums:08x}")


class Feed:
    """What one follower is told from a place on, as the text of events."""

    begins = f"retry: {RETRY_MILLISECONDS}\n\n"

    def __init__(self, place: Place) -> None:
        self._place = place

    def changes(self, facts: Facts) -> str:
        """What is new about the run itself."""
        rows = enumerate(facts.rows)
        return "".join(
            self._event(row.kind, row.text)
            for index, row in rows
            if not self._place.told(index, row.print)
        )

    def said(self, entries: list[Entry]) -> str:
        """What is new in its log."""
        return "".join(map(self._entry, entries))

    def ends(self, facts: Facts) -> str:
        """The last event of all."""
        self._place.ended = True
        return self._event("end", facts.end)

    def _entry(self, entry: Entry) -> str:
        self._place.cursor, source, text = entry
        what = {"cursor": self._place.cursor, "source": source, "text": text}
        return self._event("log", json.dumps(what))

    def _event(self, kind: str, text: str) -> str:
        return f"event: {kind}\nid: {self._place}\ndata: {text}\n\n"


def followed(web: Web, run_id: str, place: Place, gone: Callable[[], bool]) -> Iterator[str]:
    """Events, until the run has ended and all of its log is told, or it is time to go.

    In a thread, which it holds; `service/entrance/following.py` does the same as a coroutine.
    `gone` says whether nobody listens any more.
    """
    feed, watch = Feed(place), Watch(web.listening, run_id, place.cursor)
    leaves, spoke, looks = monotonic() + LIFE_SECONDS, monotonic(), True
    yield feed.begins
    while not (gone() or followers.stopping.is_set() or monotonic() > leaves):
        facts = look(web, run_id) if looks else None
        if looks and facts is None:
            return
        if facts and (new := feed.changes(facts)):
            yield new
        if facts and facts.final:
            while entries := watch.rest():
                yield feed.said(entries)
            yield feed.ends(facts)
            return
        entries, looks = watch.wait()
        if entries:
            yield feed.said(entries)
            spoke = monotonic()
        elif monotonic() - spoke > HEARTBEAT_SECONDS:
            spoke = monotonic()
            yield HEARTBEAT
