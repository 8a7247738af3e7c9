"""The right to work on one run: fenced, kept alive by heartbeats, gone when they stop."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any, NamedTuple
from uuid import uuid4

from pydantic import BaseModel
from redis.exceptions import RedisError

from workers.ledger import keys, messages
from workers.ledger.codec import checks_text, releases_text, stages_text
from workers.ledger.locks import Lock
from workers.ledger.model.errors import (
    BusyError,
    CancelledError,
    DrainedError,
    HeldError,
    PeopleError,
    StoppedError,
)
from workers.ledger.model.masked import Mask
from workers.ledger.model.rollout import Rollout
from workers.ledger.model.run import CheckRecord, Release, StageRecord, State
from workers.ledger.scripts import Scripts

LOST_AFTER = 0.8
BEAT_SECONDS = 1.0  # a cancel is to be heard soon
UPKEEP = "upkeep"
UPKEEP_SECONDS, UPKEEP_PAUSE = 10.0, 0.05
AWAITED_SECONDS = 7 * 86400


class Said(NamedTuple):
    """What came of adding to a log: its new entry, empty if the lease is another's; what had to go.

    `gone`, oldest first: source and text of what now is kept nowhere else.
    """

    entry: str
    gone: list[tuple[str, str]]


class Lease:
    """One worker's hold on one run; every write through it is refused once it is lost."""

    def __init__(  # noqa: PLR0913 - what the ledger answers, and the mask of what is written
        self,
        scripts: Scripts,
        run_id: str,
        fence: str,
        seconds: float,
        cancel: str | None = None,
        *,
        mask: Mask = str,
    ) -> None:
        self.run_id = run_id
        self.fence = fence
        self.seconds = seconds
        self._scripts = scripts
        self._lost = Event()
        self._ended = Event()
        self._confirmed: float | None = None
        self._cancel = cancel
        self._drain = False
        self._mask = mask

    def check(self) -> None:
        """Go on only if that is still wanted.

        Raises:
            StoppedError: the lease is lost; another worker may be at it already.
            CancelledError: somebody asked for the run to end.
            DrainedError: this worker was asked to end.
        """
        self.hold()
        if self._cancel is not None:
            raise CancelledError(self._cancel)
        if self._drain:
            raise DrainedError("its worker is shutting down; another one goes on with it")

    def hold(self) -> None:
        """Go on even if the run is to end, as what puts things back must.

        Raises:
            StoppedError: the lease is lost; another worker may be at it already.
        """
        # The heartbeat's own call may hang for longer than the lease lasts.
        if self._lost.is_set() or self._silent:
            raise StoppedError(self.run_id)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Send heartbeats while the body runs."""
        self._confirmed = monotonic()
        thread = Thread(target=self._beat, name=f"heartbeat-{self.run_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(min(self.seconds / 6, BEAT_SECONDS)):
            try:
                answer, why = self._scripts("beat", self.run_id, self.fence, self._milliseconds)
            except RedisError:
                answer, why = "silent", ""
            self._heard(answer, why)
            if self._lost.is_set():
                return

    def _heard(self, answer: str, why: str) -> None:
        if answer == "cancel":
            self._cancel = why
        self._drain = answer == "drain"
        if answer in ("kept", "cancel", "drain"):
            self._confirmed = monotonic()
        if answer == "lost" or self._silent:
            self._lost.set()

    def confirm(self) -> None:
        """As `check`, by the ledger's own word of this moment.

        Raises:
            StoppedError, CancelledError, DrainedError: as `check`.
        """
        self.renew()
        self.check()

    def renew(self) -> None:
        """As `hold`, by the ledger's own word of this moment.

        Raises:
            StoppedError: as `hold`.
        """
        self._heard(*self._scripts("beat", self.run_id, self.fence, self._milliseconds))
        self.hold()

    @property
    def _silent(self) -> bool:
        """Whether no heartbeat was confirmed for so long that the lease may be another's."""
        if self._confirmed is None:
            return False
        return monotonic() - self._confirmed > self.seconds * LOST_AFTER

    @property
    def _milliseconds(self) -> int:
        return int(self.seconds * 1000)

    def _fenced(self, script: str, *arguments: str | float) -> None:
        if not self._scripts(script, self.run_id, self.fence, *arguments):
            self._lost.set()
            raise StoppedError(self.run_id)

    def write(self, *, visible: bool = False, **fields: str) -> None:
        """Remember fields of the run; `visible` ones are told to GitHub."""
        masked = {n: t if n in keys.AS_IT_IS else self._mask(t) for n, t in fields.items()}
        pairs = [part for pair in masked.items() for part in pair]
        self._fenced("write", *(self._bell() if visible else ("", "", "")), *pairs)

    def _bell(self) -> tuple[str, str, str]:
        """The task that reports the run: its id, its queue's list, its message."""
        task_id, on = str(uuid4()), messages.REPORTS_ON
        message = messages.message(messages.REPORT, task_id, self.run_id, on)
        return task_id, messages.key(on), message

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
        self._fenced("published", key, f"{version} {commit} {sha256}")

    def live(self, environment: str, parts: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Remember what each place runs now, and in the environment's history; all in one step."""
        pairs = [text for place, what in parts for text in (place, json.dumps(what))]
        self._fenced("live", environment, keys.RELEASES_KEPT, *pairs)

    def keep(self, key: str, found: BaseModel, seconds: float) -> None:
        """Remember for other runs, for so many seconds, what this one found out."""
        text = found.model_dump_json(exclude_none=True, context=self._mask)
        self._fenced("keep", key, text, int(seconds * 1000))

    def finish(
        self, state: State, stages: tuple[StageRecord, ...], fault: str = "", why: str = ""
    ) -> None:
        """End the run with its verdict; the lease ends with it."""
        self._fenced("finish", state, fault, self._mask(why), self._text(stages))

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
        milliseconds = int(delay * 1000)
        told = self._mask(why)
        self._fenced("park", state, milliseconds, queue, told, retries, self._text(stages))

    def awaits(self, name: str, **fields: str) -> None:
        """Be woken by `Ledger.wake` under a name while waiting, and remember fields with it."""
        pairs = [part for pair in fields.items() for part in pair]
        self._fenced("await", name, AWAITED_SECONDS, *pairs)

    def wait(self, wanted: PeopleError, stages: tuple[StageRecord, ...]) -> None:
        """Give the run back until people, or their time limit, wake it."""
        notice = f"replaced by run {self.run_id}, a newer candidate for the same approval"
        milliseconds, over = int(wanted.seconds * 1000), wanted.over or ""
        self._fenced("wait", milliseconds, self._text(stages), wanted.place, over, notice)

    def admitted(self, environment: str, place: str) -> Lock | None:
        """The lock of the environment that the run is about to change, or None."""
        answer = self._scripts("admit", self.run_id, self.fence, environment, place)
        if answer == "lost":
            raise StoppedError(self.run_id)
        return Lock.model_validate_json(answer) if answer else None

    def hold_back(self, wanted: HeldError, stages: tuple[StageRecord, ...]) -> None:
        """Give the run back until its environment is unlocked."""
        notice = f"replaced by run {self.run_id}, a newer one that is held by the same lock"
        milliseconds, over = int(wanted.seconds * 1000), wanted.over or ""
        asked = (wanted.environment, milliseconds, self._text(stages), wanted.place, over, notice)
        self._fenced("hold", *asked)

    def drop_hold(self, environment: str) -> None:
        """Leave the environment as it was before this rollback, which can't be."""
        self._fenced("drop_hold", environment)

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
            self._scripts("unlock", name, self.run_id, self.fence)

    def claim(self, places: Iterable[str]) -> str:
        """Take aliases for a gradual release, all or none; the run that has one of them, or ""."""
        holder = str(self._scripts("claim", self.run_id, self.fence, *places))
        if holder == "lost":
            raise StoppedError(self.run_id)
        return holder

    def _taken(self, name: str) -> str:
        """Who has a lock when upkeep no longer does; it never has one for long."""
        deadline = monotonic() + UPKEEP_SECONDS
        while True:
            holder = str(self._scripts("lock", name, self.run_id, self.fence))
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
        entry, *gone = self._scripts(
            "append", self.run_id, self.fence, source, text, limit, int(spooled), mark
        )
        return Said(entry, list(zip(gone[::2], gone[1::2], strict=True)))
