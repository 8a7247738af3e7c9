"""What one follower of a run is told, as server-sent events that can be resumed anywhere.

The format: HTML Living Standard, section 9.2 (Server-sent events).
"""

import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self

from service import followers
from service.api import present
from service.web import Web
from workers.ledger.model.run import Run
from workers.ledger.watch import START, Entry, Watch

RETRY_MILLISECONDS = 2000
HEARTBEAT_SECONDS = 15.0
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

    def told(self, index: int, what: dict[str, Any]) -> bool:
        """Whether the follower knows this already; from now on it does."""
        new = f"{zlib.crc32(json.dumps(what, sort_keys=True).encode()):08x}"
        prints = [*self.prints, *["0" * _PRINT] * (index + 1 - len(self.prints))]
        known = prints[index] == new
        prints[index] = new
        self.prints = tuple(prints)
        return known


class Feed:
    """The events of one run from a place on; `gone` says whether nobody listens any more."""

    def __init__(self, web: Web, run_id: str, place: Place, gone: Callable[[], bool]) -> None:
        self._web = web
        self._run_id = run_id
        self._place = place
        self._gone = gone
        self._leaves = monotonic() + LIFE_SECONDS
        self._watch = Watch(web.listening, run_id, place.cursor)

    def __iter__(self) -> Iterator[str]:
        """Events, until the run has ended and all of its log is told, or it is time to go."""
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        spoke = monotonic()
        look = True
        while not self._over():
            run = self._web.ledger.history.run(self._run_id) if look else None
            if look and run is None:
                return
            if run:
                yield from self._changes(run)
            if run and run.state.final:
                yield from self._last(run)
                return
            entries, look = self._watch.wait()
            yield from map(self._said, entries)
            if entries:
                spoke = monotonic()
            elif monotonic() - spoke > HEARTBEAT_SECONDS:
                spoke = monotonic()
                yield ":\n\n"

    def _over(self) -> bool:
        return self._gone() or followers.stopping.is_set() or monotonic() > self._leaves

    def _changes(self, run: Run) -> Iterator[str]:
        """What is new about the run itself: at index 0 the run, then each of its stages."""
        shown = present.run(run, self._web.url) | {"approval": present.approval(self._web, run)}
        stages = shown.pop("stages")
        for index, (kind, what) in enumerate([("run", shown), *(("stage", s) for s in stages)]):
            if not self._place.told(index, what):
                yield self._event(kind, what)

    def _last(self, run: Run) -> Iterator[str]:
        while entries := self._watch.rest():
            yield from map(self._said, entries)
        self._place.ended = True
        yield self._event("end", {"state": run.state, "error": run.error})

    def _said(self, entry: Entry) -> str:
        self._place.cursor, source, text = entry
        return self._event("log", {"cursor": self._place.cursor, "source": source, "text": text})

    def _event(self, kind: str, what: dict[str, Any]) -> str:
        return f"event: {kind}\nid: {self._place}\ndata: {json.dumps(what)}\n\n"
