"""Walks one run through STAGES and gives it its verdict."""

import os
from random import random
from time import time

import structlog
from redis.exceptions import RedisError

from config.units import duration
from workers.archive.writer import VisitLog
from workers.attempt import free
from workers.attempt.console import Console
from workers.attempt.context import Context
from workers.ledger import Refusal, messages
from workers.ledger.lease import Lease
from workers.ledger.model.errors import (
    BusyError,
    CancelledError,
    DrainedError,
    HeldError,
    PassingError,
    PeopleError,
    RoomError,
    RunError,
    StoppedError,
    SupersededError,
    WaitError,
)
from workers.ledger.model.run import Run, StageRecord, StageState, State
from workers.ledger.model.shortage import shortage
from workers.ledger.model.stages import BY_NAME, Stage
from workers.pipeline import supersession
from workers.stages import WORK
from workers.workshop import Workshop, owner_of

log = structlog.get_logger()

BUSY_SECONDS = 1.0
ROOM_SECONDS = 10.0
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 60.0


def advance(shop: Workshop, run_id: str, task_id: str) -> str:
    """Walk a run as far as it can go now; why it stopped, in a word."""
    owner = owner_of(os.getppid())
    lease = shop.ledger.lease(
        run_id,
        owner,
        task_id,
        seconds=shop.settings.lease_seconds,
        capacity=shop.settings.capacity,
    )
    if isinstance(lease, Refusal):
        outcome = lease.why
    else:
        with lease.kept():
            outcome = _visit(shop, lease)
        _ring_next(shop)
    state = "failed" if outcome == "lost" else "succeeded"
    shop.ledger.task(task_id, state=state, finished_at=_now(), outcome=outcome)
    return outcome


def _now() -> str:
    return str(int(time() * 1000))


def _ring_next(shop: Workshop) -> None:
    """A slot is free: whoever waits for one need not wait for the next sweep."""
    overdue = shop.ledger.overdue(grace=0)
    ours = [due for due in overdue.runs if due[1] in shop.settings.queues]
    for run_id, on in ours[:1]:
        if run_id in overdue.urgent:
            shop.ledger.ring_first(run_id, on)
        else:
            shop.ledger.ring(messages.ADVANCE, run_id, on)


def _visit(shop: Workshop, lease: Lease) -> str:
    run = shop.ledger.history.run(lease.run_id)
    if run is None:
        return "gone"
    with Console(VisitLog(shop, run, lease), shop.masker) as console:
        try:
            return Walk(shop, run, lease, console).go()
        except (StoppedError, RedisError):
            log.warning("lease_lost", fence=lease.fence)
            return "lost"


class Walk:
    """One visit of a worker to a run: from its first unfinished stage on."""

    def __init__(self, shop: Workshop, run: Run, lease: Lease, console: Console) -> None:
        self.shop = shop
        self.run = run
        self.lease = lease
        self.console = console
        self.records = list(run.stages)
        self.retries = run.retries
        self.at = 0

    def go(self) -> str:
        """Walk, and turn whatever happens into a verdict or a pause."""
        try:
            with Context.open(self.shop, self.run, self.lease, self.console) as context:
                return self._stages(context)
        except WaitError as wanted:
            return self._wait(wanted)
        except RunError as error:
            return self._answer(error)
        except (StoppedError, RedisError):
            raise
        except Exception as error:
            if short := shortage(error, self.shop.settings.data_dir):
                return self._answer(short)
            log.exception("run_broke", stage=self._stage.name)
            why = (
                f"Slipway itself failed in {self._stage.name} ({type(error).__name__}); "
                "its operator finds the details in the worker's log"
            )
            return self._end(State.FAILED, why, "ours")

    def _answer(self, error: RunError) -> str:
        match error:
            case CancelledError():
                return self._end(State.CANCELLED, str(error))
            case SupersededError():
                return self._end(State.SUPERSEDED, str(error))
            case BusyError():
                wait = ROOM_SECONDS if isinstance(error, RoomError) else BUSY_SECONDS
                return self._pause(error, wait, self.retries)
            case DrainedError():
                return self._pause(error, 0, self.retries)
            case PassingError():
                return self._again_or_fail(error)
        return self._end(State.FAILED, str(error), error.fault)

    @property
    def _stage(self) -> Stage:
        return BY_NAME[self.records[self.at].name]

    @property
    def _last_try(self) -> bool:
        return self.retries >= self.shop.settings.retries

    def _stages(self, context: Context) -> str:
        for at, record in enumerate(self.records):
            if record.state is StageState.SUCCEEDED:
                continue
            self.at = at
            if self._stage.queue not in self.shop.settings.queues:
                return self._hand_over()
            # What has moved something puts it back itself, before the run may end; what is on
            # record as live can only succeed.
            if not (self.run.unfinished or self.run.recorded):
                self.lease.check()
            supersession.check(context, self._stage.name)
            if self._stage.queue == "build":
                self._demand_room()
            self._run_stage(context)
        return self._end(State.SUCCEEDED)

    def _demand_room(self) -> None:
        shop = self.shop
        free.demand(shop.settings.free_disk, shop.settings.data_dir, shop.engine.folder)

    def _run_stage(self, context: Context) -> None:
        started = self.records[self.at].started_at or int(time() * 1000)
        # What waits goes on waiting while it looks, or GitHub would be told of every look.
        if self.records[self.at].state is not StageState.WAITING:
            self._mark(StageState.RUNNING, started_at=started, error=None)
        log.info("stage_started", stage=self._stage.name)
        context.last_try = self._last_try
        summary = WORK[self._stage.name](context)
        self._mark(StageState.SUCCEEDED, finished_at=int(time() * 1000), summary=summary)
        log.info("stage_finished", stage=self._stage.name, summary=summary)

    def _mark(self, state: StageState, **changes: object) -> None:
        self._set(state, **changes)
        if state is StageState.SUCCEEDED:
            self.retries = 0
        self.lease.stages(tuple(self.records), retries=str(self.retries))

    def _set(self, state: StageState, **changes: object) -> None:
        record = self.records[self.at]
        self.records[self.at] = record.model_copy(update={"state": state, **changes})

    def _say(self, why: str) -> None:
        # The console's own masking does not know of shortened texts that end in half a secret.
        self.console.say(self._stage.name, self.shop.masker.mask(why))

    def _tell(self) -> None:
        self.shop.ledger.ring(messages.REPORT, self.run.id, messages.REPORTS_ON)

    def _end(self, state: State, why: str = "", fault: str = "") -> str:
        if why:
            self._say(why)
            self._set(StageState.FAILED, finished_at=int(time() * 1000), error=why, summary=None)
        self.console.seal()
        skipped = tuple(_skipped(record) for record in self.records)
        self.lease.finish(state, skipped, fault, why)
        self._tell()
        log.info("run_ended", state=state, why=why)
        return str(state)

    def _wait(self, wanted: WaitError) -> str:
        self._set(StageState.WAITING, error=None, summary=str(wanted))
        self.console.seal()
        records = tuple(self.records)
        if isinstance(wanted, PeopleError):
            self.lease.wait(wanted, records)
            self._tell_of(wanted.over)
        elif isinstance(wanted, HeldError):
            self.lease.hold_back(wanted, records)
            self._tell_of(wanted.over)
        else:
            on = self._stage.queue
            self.lease.park(State.WAITING, records, delay=wanted.seconds, queue=on)
        self._tell()
        log.info("run_waits", seconds=wanted.seconds, why=str(wanted))
        return "waiting"

    def _tell_of(self, over: str | None) -> None:
        if over:
            self.shop.ledger.ring(messages.REPORT, over, messages.REPORTS_ON)

    def _hand_over(self) -> str:
        self.console.seal()
        self.lease.park(State.QUEUED, tuple(self.records), delay=0, queue=self._stage.queue)
        self.shop.ledger.ring(messages.ADVANCE, self.run.id, self._stage.queue)
        return "handed over"

    def _again_or_fail(self, error: PassingError) -> str:
        tries = self.retries
        if self._last_try:
            tried = f"tried {tries + 1} times" if tries else "tried once"
            why = f"{error} ({tried}); retry the run when that is over"
            return self._end(State.FAILED, why, "ours")
        wait = min(FIRST_RETRY_SECONDS * 2**tries, LONGEST_RETRY_SECONDS) * (0.9 + random() / 5)  # noqa: S311 - jitter
        asked = getattr(error, "retry_after", None) or 0.0
        return self._pause(error, max(wait, asked), tries + 1)

    def _pause(self, error: PassingError, delay: float, retries: int) -> str:
        why = f"{error}; trying again in {duration(round(delay))}" if delay else str(error)
        self._say(why)
        self.console.seal()
        self._set(StageState.PENDING, error=str(error), summary=None)
        self.lease.park(
            State.QUEUED,
            tuple(self.records),
            delay=delay,
            queue=self._stage.queue,
            why=why,
            retries=retries,
        )
        return "paused"


def _skipped(record: StageRecord) -> StageRecord:
    if record.state is StageState.PENDING:
        return record.model_copy(update={"state": StageState.SKIPPED})
    return record
