"""What one visit to a run says: into the ledger, and what the ledger has no room for to a spool."""

from pathlib import Path
from threading import Thread

import structlog

from config.log_text import as_text
from config.units import size
from workers.archive.spool import Spool
from workers.archive.store import name_of, prefix, settle
from workers.ledger.lease import Lease, Said
from workers.ledger.model.errors import RunError
from workers.ledger.model.run import Run
from workers.workshop import Workshop, place_of

log = structlog.get_logger()

CHUNK = 8192
LIVE = 64 * 1024
"""Characters of each source that a flood leaves in the ledger a few times a second."""

LONGEST_OPEN = 64 * 1024
UPLOAD_SECONDS = 5.0
"""How long a run's verdict waits for its log; after that it is brought to S3 beside it."""


class VisitLog:
    """Takes masked text. Once the ledger has to drop some, all of it goes to the spool too.

    From then on the ledger gets only the end of a flood, for those who follow live.
    """

    def __init__(self, shop: Workshop, run: Run, lease: Lease) -> None:
        self._shop = shop
        self._run = run
        self._lease = lease
        self._name = name_of(lease.fence)
        self._parts = shop.ledger.parts
        self._mark = self._last = ""
        self._most = min(LIVE, shop.settings.log_bytes // 2)
        self._spool: Spool | None = None
        self._ready = True
        self._open: dict[str, str] = {}
        self._live: dict[str, str] = {}
        self._skipped: dict[str, int] = {}

    def write(self, source: str, text: str) -> None:
        """Add text of one source.

        Raises:
            RedisError: the ledger is out of reach.
        """
        at = 0
        while at < len(text) and self._spool is None:
            end = _line_end(text, at)
            gone = self._say(source, text[at:end]).gone
            at = end
            if gone and self._ready:
                self._begin(gone)
        if at < len(text) and self._spool:
            self._keep(self._spool, source, text[at:])
            self._hold(source, text[at:])

    def _say(self, source: str, text: str, *, spooled: bool = False) -> Said:
        limit = self._shop.settings.log_bytes
        said = self._lease.say(source, text, limit, spooled=spooled, mark=self._mark)
        self._last = said.entry or self._last
        return said

    def _begin(self, gone: list[tuple[str, str]]) -> None:
        """The ledger is full: from the oldest text that is nowhere else, all goes to a spool."""
        self._ready = False
        place = place_of(self._shop, self._run)
        room = self._room()
        if place is None or room <= 0:
            return
        try:
            spool = Spool(self._shop.spools, f"{self._run.id}_{self._name}", room)
        except OSError as error:
            log.warning("log_not_spooled", error=str(error))
            return
        try:
            where = f"s3://{place[1]}/{prefix(self._run.id)}"
            self._parts.begun(self._run.id, self._name, where)
            self._mark = self._parts.mark(self._run.id)
            for source, text in gone:
                spool.write(as_text([("", source, text)]))
            self._fetch_rest(spool)
        except BaseException:
            spool.drop()
            raise
        self._spool = spool

    def _room(self) -> int:
        written = sum(part.text for part in self._parts.of(self._run.id))
        return self._shop.settings.whole_log_bytes - written

    def _fetch_rest(self, spool: Spool) -> None:
        """Take along what the ledger has and no part."""
        for entry in self._parts.rest(self._run.id, self._mark):
            spool.write(as_text([entry]))
            self._mark = entry[0]

    def _keep(self, spool: Spool, source: str, text: str) -> None:
        """Into the spool, by whole lines."""
        if spool.is_full():
            return
        whole, newline, rest = (self._open.pop(source, "") + text).rpartition("\n")
        if len(rest) > LONGEST_OPEN:
            whole, newline, rest = f"{whole}{newline}{rest}", "\n", ""
        if newline:
            spool.write(as_text([("", source, whole)]))
        if rest:
            self._open[source] = rest
        if spool.is_full():
            self._show_all(spooled=True)
            self._mark = self._last

    def _hold(self, source: str, text: str) -> None:
        """For the ledger, of which the end will do."""
        kept = self._live.get(source, "") + text
        cut = 0
        if len(kept) > self._most:
            cut = kept.find("\n", len(kept) - self._most) + 1 or len(kept) - self._most
            self._skipped[source] = self._skipped.get(source, 0) + cut
        self._live[source] = kept[cut:]

    def tick(self) -> None:
        """Show what was held back of a flood, a few times a second.

        Raises:
            RedisError: the ledger is out of reach.
        """
        if self._spool:
            self._show_all(spooled=not self._spool.is_full())

    def _show_all(self, *, spooled: bool) -> None:
        live, self._live = self._live, {}
        skipped, self._skipped = self._skipped, {}
        for source, text in live.items():
            if left_out := skipped.get(source):
                where = "are only in the whole log" if spooled else "are left out"
                self._show(source, f"… {size(left_out)} {where} …\n", spooled=spooled)
            self._show(source, text, spooled=spooled)

    def _show(self, source: str, text: str, *, spooled: bool) -> None:
        at = 0
        while at < len(text):
            end = _line_end(text, at)
            # What goes is a reporter's note, which came between.
            for entry in self._say(source, text[at:end], spooled=spooled).gone:
                if self._spool:
                    self._spool.write(as_text([("", *entry)]))
            at = end

    def seal(self) -> None:
        """The visit is about to end: its part is done, and goes to S3.

        Raises:
            RedisError: the ledger is out of reach.
        """
        spool = self._spool
        if spool is None:
            return
        for source in list(self._open):
            self._keep(spool, source, "\n")
        self.tick()
        if not spool.is_full():
            self._fetch_rest(spool)
            self._mark = max(self._mark, self._last, key=_place)
        # When the run is another's by now, the file is left without its end.
        if self._parts.sealed(self._run.id, self._name, self._lease.fence, self._mark):
            self._spool = None
            self._send(spool)

    def _send(self, spool: Spool) -> None:
        try:
            path = spool.seal()
        except OSError as error:
            spool.leave()
            log.warning("log_not_spooled", error=str(error))
            return
        # A daemon: a process that ends leaves the file to the sweep.
        upload = Thread(target=self._settle, args=(path,), daemon=True)
        upload.start()
        upload.join(UPLOAD_SECONDS)

    def _settle(self, path: Path) -> None:
        try:
            settle(self._shop, path)
        except RunError as error:
            # The sweep tries again, and the archive waits for it.
            log.warning("log_not_stored", file=path.name, error=str(error))
        except Exception:
            log.exception("log_not_stored", file=path.name)

    def close(self) -> None:
        """Be done; what was not sealed is left to the sweep."""
        if self._spool is not None:
            self._spool.leave()


def _line_end(text: str, at: int) -> int:
    """Where the entry ends that begins there: at the end of a line, if it can."""
    if len(text) - at <= CHUNK:
        return len(text)
    return text.rfind("\n", at, at + CHUNK) + 1 or at + CHUNK


def _place(entry: str) -> tuple[int, int]:
    at, _, number = entry.partition("-")
    return int(at), int(number)
