"""The book of record in Redis: every change of it is one atomic script on Redis's own clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import time
from typing import Any, NamedTuple
from uuid import uuid4

from redis import Redis

from workers.ledger import accept as accepting
from workers.ledger import keys, messages, sweep
from workers.ledger.accept import DELIVERY_SECONDS, Accepted, NotDurableError
from workers.ledger.codec import stages_text
from workers.ledger.connection import needs_waitaof
from workers.ledger.history import History
from workers.ledger.lease import Lease
from workers.ledger.locks import Locks
from workers.ledger.model.approval import Vote
from workers.ledger.model.masked import Mask
from workers.ledger.model.order import Order
from workers.ledger.model.run import StageRecord, StageState
from workers.ledger.parts import Parts
from workers.ledger.reports import RECALL, Reports
from workers.ledger.scripts import Argument, Scripts
from workers.ledger.sessions import Sessions
from workers.ledger.sweep import Overdue

MAX_LOSSES = 3
DRAIN_SECONDS = 3600
RECALLED_CHUNK = 64 * 1024
NO_LIMIT = 2**53

__all__ = ["Accepted", "Ledger", "NotDurableError", "Overdue", "Refusal"]


class Refusal(NamedTuple):
    """Why a run can't be leased now: `held`, `early`, `full`, `ended` or `gone`."""

    why: str


class Ledger:
    """The changes that can be made to the book; `history` reads it."""

    def __init__(self, redis: Redis, mask: Mask = str) -> None:
        """`mask` hides the secrets in whatever people will read of it."""
        self.redis: Any = redis
        self._mask = mask
        self.history = History(redis)
        self.reports = Reports(redis)
        self.parts = Parts(redis)
        self.sessions = Sessions(redis)
        self._scripts = Scripts(redis)
        self.locks = Locks(redis, self._durably, mask)
        self._waitaof: bool | None = None

    def accept(
        self,
        order: Order,
        delivery: str,
        stages: tuple[str, ...],
        first_queue: str,
        *,
        instead_of: str = "",
    ) -> Accepted:
        """Take an order on: once per delivery, and once per repository, environment and commit.

        `instead_of` is an ended run of the same order, whose place the new run takes.

        Raises:
            NotDurableError: the record may not survive a power cut; the sender should try again.
        """
        wanted = accepting.arguments(order, delivery, stages, first_queue, instead_of)
        return Accepted.of(self._durably("accept", **wanted))

    def _durably(self, script: str, /, **given: Argument) -> Any:  # noqa: ANN401 - as the script
        """Run one script; its answer, once what it wrote is on disk."""
        if not self._must_wait():
            return self._scripts(script, **given)
        # Both over one connection: WAITAOF speaks of the writes of its own connection only.
        pipe = self.redis.pipeline(transaction=False)
        self._scripts.along(pipe, script, **given)
        pipe.execute_command(*accepting.HASTY_WAITAOF)
        reply, synced = pipe.execute()
        accepting.confirm(synced)
        return reply

    def _must_wait(self) -> bool:
        if self._waitaof is None:
            self._waitaof = needs_waitaof(self.redis)
        return self._waitaof

    def probe(self) -> None:
        """Try a write, as a delivery needs it.

        Raises:
            RedisError: Redis is out of reach, out of memory, read-only or at a loss for its disk.
            NotDurableError: it doesn't confirm what it has written.
        """
        pipe = self.redis.pipeline(transaction=False)
        pipe.execute_command(*accepting.PROBE)
        if self._must_wait():
            pipe.execute_command(*accepting.HASTY_WAITAOF)
        _, *synced = pipe.execute()
        if synced:
            accepting.confirm(synced[0])

    def ring(self, name: str, run_id: str, on: str) -> str:
        """Queue one task about a run on the queue `on`; the task's id."""
        bell = messages.bell(name, run_id, on)
        self._scripts("ring", id=run_id, name=name, **bell)
        return bell["task_id"]

    def ring_first(self, run_id: str, on: str) -> bool:
        """Have a worker go on with a run before all that waits on `on`; False: that is so."""
        wanted = messages.bell(messages.ADVANCE, run_id, on) | {"name": messages.ADVANCE}
        return bool(self._scripts("ring_first", id=run_id, depth=sweep.LIMIT, **wanted))

    def lease(
        self, run_id: str, owner: str, nonce: str, *, seconds: float, capacity: int
    ) -> Lease | Refusal:
        """Take a run to work on; `capacity` is how many runs this owner may hold at once."""
        answer, fence, *cancel = self._scripts(
            "lease",
            id=run_id,
            owner=owner,
            nonce=nonce,
            lease_ms=int(seconds * 1000),
            capacity=capacity,
            max_losses=MAX_LOSSES,
        )
        if answer != "leased":
            return Refusal(answer)
        return Lease(self._scripts, run_id, fence, seconds, *cancel, mask=self._mask)

    def vote(self, run_id: str, vote: Vote, required: int, on: str) -> str:
        """Count one person's word: `counted`, `voted`, `not waiting` or `gone`."""
        answer = self._scripts(
            "vote",
            id=run_id,
            who=vote.who,
            verdict=vote.verdict,
            origin=vote.origin,
            note=self._mask(vote.note),
            required=required,
            **messages.bell(messages.ADVANCE, run_id, on),
        )
        return str(answer)

    def wake(self, name: str) -> tuple[str, str]:
        """Have the run that awaits `name` go on: its id, and `woken`, `noted`, `over`, `unknown`.

        `noted`: it has a worker now, and goes on as soon as that parks it.
        """
        run_id = self.redis.get(keys.awaited(name))
        if run_id is None:
            return "", "unknown"
        (on,) = self.history.fields(run_id, "queue")
        if on is None:
            return run_id, "over"
        bell = messages.bell(messages.ADVANCE, run_id, on)
        return run_id, str(self._scripts("wake", id=run_id, name=name, **bell))

    def drain(self, owner: str, *, drained: bool) -> None:
        """Have a worker's runs handed back, each at its next heartbeat; or no longer."""
        if drained:
            self.redis.set(keys.drain(owner), "1", ex=DRAIN_SECONDS)
        else:
            self.redis.delete(keys.drain(owner))

    def now(self) -> int:
        """Redis's clock, in milliseconds since 1970."""
        seconds, micros = self.redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    @contextmanager
    def alone(self, name: str, seconds: float) -> Iterator[bool]:
        """Whether nobody else is at the work of that name, or died at it within so many seconds."""
        key, mark = keys.once(f"alone:{name}"), str(uuid4())
        mine = bool(self.redis.set(key, mark, nx=True, ex=int(seconds)))
        try:
            yield mine
        finally:
            if mine and self.redis.get(key) == mark:
                self.redis.delete(key)

    def once(self, name: str, seconds: float) -> bool:
        """Whether this is the first call for a name in so many seconds, among all workers."""
        return bool(self.redis.set(keys.once(name), "1", nx=True, ex=int(seconds)))

    def cancel(self, run_id: str, why: str) -> str:
        """Ask for a run's end: `cancelled`, `asked`, `ended` or `gone`."""
        run = self.history.run(run_id)
        if run is None:
            return "gone"
        told = self._mask(why)
        ended = tuple(_ended(stage, told) for stage in run.stages)
        on = self.history.fields(run_id, "queue")[0] or "deploy"
        answer = self._scripts(
            "cancel",
            id=run_id,
            why=told,
            stages=stages_text(ended),
            **messages.bell(messages.ADVANCE, run_id, on),
        )
        return str(answer)

    def identity(self) -> str:
        """This ledger's own name, which tells its containers from those of another one."""
        self.redis.set(keys.IDENTITY, str(uuid4()), nx=True)
        return str(self.redis.get(keys.IDENTITY))

    def note(self, run_id: str, source: str, text: str) -> bool:
        """Add a line to a run's log from beside its visits; False if that is no longer here."""
        (fence,) = self.history.fields(run_id, "fence")
        if fence is None or self.history.archived(run_id):
            return False
        # Nothing goes for its sake: only a visit can put what goes into the whole log.
        Lease(self._scripts, run_id, fence, 0).say(source, f"{self._mask(text)}\n", NO_LIMIT)
        return True

    def expire_log(self, run_id: str, seconds: float) -> None:
        """Let a log that is archived go in a while."""
        self.redis.expire(keys.log(run_id), int(seconds))

    def recall_log(self, run_id: str, on: str) -> None:
        """Have an archived log brought back; it is there a moment later."""
        self._recall(run_id, "recall", "1", on)

    def put_log(self, run_id: str, text: str, seconds: float) -> None:
        """Put an archived log back, for some seconds."""
        pipe = self.redis.pipeline()
        pipe.delete(keys.log(run_id))
        for start in range(0, len(text), RECALLED_CHUNK):
            pipe.xadd(keys.log(run_id), {"s": "", "t": text[start : start + RECALLED_CHUNK]})
        pipe.expire(keys.log(run_id), int(seconds))
        pipe.hdel(keys.run(run_id), "recall")
        pipe.execute()

    def recall_report(self, run_id: str, check: str, on: str) -> None:
        """Have a check's report brought back from S3; it is there a moment later."""
        self._recall(run_id, RECALL, check, on)

    def _recall(self, run_id: str, field: str, what: str, on: str) -> None:
        if self._scripts("recall", id=run_id, field=field, what=what):
            self.ring(messages.REPORT, run_id, on)

    def overdue(self, grace: float, *, everywhere: bool = False) -> Overdue:
        """What should be going on for `grace` seconds and may not be: `sweep.overdue`."""
        return sweep.overdue(self._scripts, grace, everywhere=everywhere)

    def backlog(self, on: str) -> int:
        """How many messages wait on a queue."""
        return int(self.redis.llen(messages.key(on)))

    def task(self, task_id: str, **fields: str) -> None:
        """Remember what became of a queued task."""
        key = keys.task(task_id)
        pipe = self.redis.pipeline()
        pipe.hset(key, mapping=fields)
        pipe.expire(key, DELIVERY_SECONDS)
        pipe.execute()

    def report_begin(self, run_id: str, token: str, seconds: float) -> tuple[str, str] | None:
        """Become the run's only reporter: its revision and what was told, or None if taken."""
        revision, told = self._scripts(
            "report_begin", id=run_id, token=token, lock_ms=int(seconds * 1000)
        )
        return (revision, told) if revision else None

    def report_beat(self, run_id: str, token: str, seconds: float) -> bool:
        """Stay the run's reporter for `seconds` more; False when another one has taken over."""
        return bool(
            self._scripts("report_beat", id=run_id, token=token, lock_ms=int(seconds * 1000))
        )

    def report_end(
        self, run_id: str, token: str, revision: str, told: str, again_in: float | None = None
    ) -> bool:
        """Remember what was told; due again in `again_in` seconds. Whether there is news."""
        delay = "" if again_in is None else int(again_in * 1000)
        said = {"token": token, "revision": revision, "told": told, "delay": delay}
        return bool(self._scripts("report_end", id=run_id, **said))

    def prune(self, keep: int, days: float) -> int:
        """Forget ended runs beyond a count or an age, some at a time; how many went."""
        return sweep.forget(self.redis, self._scripts, keep, days)


def _ended(stage: StageRecord, why: str) -> StageRecord:
    """A stage of a run that ends with nobody at it."""
    if stage.state in (StageState.PENDING, StageState.WAITING):
        return stage.model_copy(update={"state": StageState.SKIPPED})
    if stage.state is not StageState.RUNNING:
        return stage
    at = int(time() * 1000)
    return stage.model_copy(
        update={"state": StageState.FAILED, "finished_at": at, "error": why, "summary": None}
    )
