"""Ends the processes of tasks that hear nothing any more: cancelled, lost, drained, or too long.

It runs in a worker's main process, which no pattern, no stalled call and no held interpreter lock
of a task can keep waiting. What it ends, another visit takes up, as after any death of a worker.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from threading import Event, Thread
from typing import NamedTuple

import structlog
from redis.exceptions import RedisError

from config.server.allowances import UNKNOWN_SECONDS
from workers.ledger import Ledger, messages
from workers.ledger.tending import GIVEN_BACK, LOST, Tended, Tending

log = structlog.get_logger()

LOOK_SECONDS = 0.5
GRACE_SECONDS = {"cancel": 2.0, "drain": 20.0, "lost": 15.0, "over": 300.0}
"""How long a task may go on after the ledger said so: then it does not hear."""


class AtWork(NamedTuple):
    """A task that a process of this worker is at, and for how many seconds."""

    task_id: str
    process: int
    seconds: float


class Watchdog:
    """Looks at the tasks at work twice a second; ends the processes of those that hear nothing."""

    def __init__(
        self,
        ledger: Ledger,
        at_work: Callable[[], Iterable[AtWork]],
        grace: Mapping[str, float] | None = None,
    ) -> None:
        """`grace` are the seconds that a task may go on after the ledger said so, by its word."""
        self._ledger = ledger
        self._tending = Tending(ledger.redis)
        self._at_work = at_work
        self._grace = grace or GRACE_SECONDS
        self._since: dict[tuple[str, str], float] = {}
        self._most: dict[str, float] = {}
        self._ended = Event()

    def start(self) -> None:
        """Look until the process ends, in a thread of its own."""
        Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Look no longer."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:
                log.exception("watchdog_broke")

    def look(self) -> None:
        """One look at all tasks; the processes of those that hear nothing are ended."""
        tasks = list(self._at_work())
        ids = {task.task_id for task in tasks}
        self._since = {key: at for key, at in self._since.items() if key[0] in ids}
        self._most = {one: most for one, most in self._most.items() if one in ids}
        for task in tasks:
            tended = self._tended(task)
            if why := self._why(task, tended):
                self._end(task, tended, why)

    def _tended(self, task: AtWork) -> Tended:
        """How the ledger has it; while that is out of reach, only the time counts."""
        try:
            tended = self._tending.of(task.task_id)
        except RedisError:
            return Tended("", "kept", self._most.get(task.task_id, UNKNOWN_SECONDS))
        self._most[task.task_id] = tended.seconds
        return tended

    def _why(self, task: AtWork, tended: Tended) -> str:
        """Why a task is to be ended now, in a word; empty if it is not."""
        if task.seconds > tended.seconds:
            return "time"
        grace = self._grace.get(tended.state)
        if grace is None:
            return ""
        since = self._since.setdefault((task.task_id, tended.state), time.monotonic())
        return tended.state if time.monotonic() - since > grace else ""

    def _end(self, task: AtWork, tended: Tended, why: str) -> None:
        # Before the kill: the pool forks a new process as soon as this one is gone.
        log.warning(
            "task_ended_by_force",
            task=task.task_id,
            run=tended.run_id,
            process=task.process,
            why=why,
        )
        with suppress(ProcessLookupError):
            os.kill(task.process, signal.SIGKILL)
        self._since.pop((task.task_id, why), None)
        if not tended.run_id:
            return
        with suppress(RedisError):
            how = GIVEN_BACK if why in ("cancel", "drain") else LOST
            on = self._tending.give_up(task.task_id, how)
            if on and not (why == "cancel" and self._over(tended.run_id)):
                self._ledger.ring_first(tended.run_id, on)

    def _over(self, run_id: str) -> bool:
        """Whether a cancelled run is over here and now: all slots may be held by calls that hang.

        What it left on the engine and on the disk, the sweep takes.
        """
        (why,) = self._ledger.history.fields(run_id, "cancel")
        if not why or self._ledger.cancel(run_id, why) != "cancelled":
            return False
        self._ledger.note(run_id, "cancel", why)
        self._ledger.ring(messages.REPORT, run_id, messages.REPORTS_ON)
        return True
