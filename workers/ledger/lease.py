"""The right to work on one run: fenced, kept alive by heartbeats, gone when they stop."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, NamedTuple

from pydantic import BaseModel

from workers.ledger import keys, messages
from workers.ledger.codec import checks_text, releases_text, stages_text
from workers.ledger.heartbeat import Heartbeat
from workers.ledger.locks import Lock
from workers.ledger.model.errors import BusyError, HeldError, PeopleError, StoppedError
from workers.ledger.model.rollout import Rollout
from workers.ledger.model.run import CheckRecord, Release, StageRecord, State

UPKEEP = "upkeep"
UPKEEP_SECONDS, UPKEEP_PAUSE = 10.0, 0.05
AWAITED_SECONDS = 7 * 86400


class Said(NamedTuple):
    """What came of adding to a log: its new entry, empty if the lease is another's; what had to go.

    `gone`, oldest first: source and text of what now is kept nowhere else.
    """

    entry: str
    gone: list[tuple[str, str]]


class Lease(Heartbeat):
    """What a worker writes about the run that it holds; refused once the hold is lost."""

    def write(self, *, visible: bool = False, **fields: str) -> None:
        """Remember fields of the run; `visible` ones are told to GitHub."""
        masked = {n: t if n in keys.AS_IT_IS else self._mask(t) for n, t in fields.items()}
        pairs = [part for pair in masked.items() for part in pair]
        bell = messages.bell(messages.REPORT, self.run_id, messages.REPORTS_ON)
        self._fenced("write", **(bell if visible else messages.NO_BELL), fields=pairs)

    def stages(self, stages: tuple[StageRecord, ...], **fields: str) -> None:
        """Remember how far the stages are, and other fields with it."""
        self.write(visible=True, stages=self._text(stages), **fields)

    def checks(self, checks: Iterable[CheckRecord]) -> None:
        """Remember how the checks ended."""
        self.write(checks=checks_text(tuple(checks), self._mask))

    def rollout(self, record: Rollout, **fields: str) -> None:
        """Remember where a gradual release is, and other fields with it."""
        self.write(visible=True, rollout=record.model_dump_json(context=self._mask), **fields)

    def _text(self, stages: tuple[StageRecord, ...]) -> str:
        return stages_text(stages, self._mask)

    def releases(self, releases: Iterable[Release]) -> None:
        """Remember what the run makes live."""
        self.write(releases=releases_text(tuple(releases)))

    def published(self, key: str, version: str, commit: str, sha256: str) -> None:
        """Remember that a version is Slipway's: only such are ever deleted."""
        self._fenced("published", published=key, version=f"{version} {commit} {sha256}")

    def live(self, environment: str, parts: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Remember what each place runs now, and in the environment's history; all in one step."""
        pairs = [text for place, what in parts for text in (place, json.dumps(what))]
        self._fenced("live", environment=environment, kept=keys.RELEASES_KEPT, parts=pairs)

    def keep(self, key: str, found: BaseModel, seconds: float) -> None:
        """Remember for other runs, for so many seconds, what this one found out."""
        text = found.model_dump_json(exclude_none=True, context=self._mask)
        self._fenced("keep", key=key, what=text, keep_ms=int(seconds * 1000))

    def finish(
        self, state: State, stages: tuple[StageRecord, ...], fault: str = "", why: str = ""
    ) -> None:
        """End the run with its verdict; the lease ends with it."""
        self._fenced(
            "finish", state=state, fault=fault, why=self._mask(why), stages=self._text(stages)
        )

    def park(  # noqa: PLR0913 - what a successor must know, all of it at once
        self,
        state: State,
        stages: tuple[StageRecord, ...],
        *,
        delay: float,
        queue: str,
        why: str = "",
        retries: int = 0,
    ) -> None:
        """Give the run back, to go on after `delay` seconds on `queue`."""
        self._fenced(
            "park",
            state=state,
            delay=int(delay * 1000),
            queue=queue,
            why=self._mask(why),
            retries=retries,
            stages=self._text(stages),
        )

    def awaits(self, name: str, **fields: str) -> None:
        """Be woken by `Ledger.wake` under a name while waiting, and remember fields with it."""
        pairs = [part for pair in fields.items() for part in pair]
        self._fenced("await", name=name, seconds=AWAITED_SECONDS, fields=pairs)

    def wait(self, wanted: PeopleError, stages: tuple[StageRecord, ...]) -> None:
        """Give the run back until people, or their time limit, wake it."""
        notice = f"replaced by run {self.run_id}, a newer candidate for the same approval"
        self._fenced("wait", **self._given_back(wanted, stages), notice=notice)

    def _given_back(
        self, wanted: PeopleError | HeldError, stages: tuple[StageRecord, ...]
    ) -> dict[str, str | int]:
        """How a run that waits at a place is parked: until when, and who gives way there."""
        return {
            "delay": int(wanted.seconds * 1000),
            "stages": self._text(stages),
            "place": wanted.place,
            "over": wanted.over or "",
        }

    def admitted(self, environment: str, place: str) -> Lock | None:
        """The lock of the environment that the run is about to change, or None."""
        answer = self._ours("admit", environment=environment, place=place)
        if answer == "lost":
            raise StoppedError(self.run_id)
        return Lock.model_validate_json(answer) if answer else None

    def hold_back(self, wanted: HeldError, stages: tuple[StageRecord, ...]) -> None:
        """Give the run back until its environment is unlocked."""
        notice = f"replaced by run {self.run_id}, a newer one that is held by the same lock"
        asked = self._given_back(wanted, stages)
        self._fenced("hold", environment=wanted.environment, **asked, notice=notice)

    def drop_hold(self, environment: str) -> None:
        """Leave the environment as it was before this rollback, which can't be."""
        self._fenced("drop_hold", environment=environment)

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold a named lock, such as a function's, while the body runs.

        Raises:
            BusyError: another run holds it.
        """
        holder = self._taken(name)
        if holder == "lost":
            raise StoppedError(self.run_id)
        if holder:
            raise BusyError(f"{name} is being changed by run {holder}; this run waits its turn")
        try:
            yield
        finally:
            self._ours("unlock", name=name)

    def claim(self, places: Iterable[str]) -> str:
        """Take aliases for a gradual release, all or none; the run that has one of them, or ""."""
        holder = str(self._ours("claim", places=list(places)))
        if holder == "lost":
            raise StoppedError(self.run_id)
        return holder

    def _taken(self, name: str) -> str:
        """Who has a lock when upkeep no longer does; it never has one for long."""
        deadline = monotonic() + UPKEEP_SECONDS
        while True:
            holder = str(self._ours("lock", name=name))
            if holder != UPKEEP or monotonic() > deadline:
                return holder
            self.check()
            sleep(UPKEEP_PAUSE)

    def say(
        self, source: str, text: str, limit: int, *, spooled: bool = False, mark: str = ""
    ) -> Said:
        """Add text to the run's log, which keeps the last `limit` bytes.

        `spooled`: the text itself is in a part of the whole log, as is all up to the entry `mark`;
        by default up to where the last part ends.
        """
        asked: dict[str, str | int] = {"source": source, "chunk": text, "limit": limit}
        entry, *gone = self._ours("append", **asked, spooled=int(spooled), mark=mark)
        return Said(entry, list(zip(gone[::2], gone[1::2], strict=True)))
