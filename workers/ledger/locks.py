"""Locks of environments: who wants no change there, why and how long; and rollbacks, which hold."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict
from redis import Redis

from config.units import minute
from workers.ledger import keys, messages
from workers.ledger.accept import ORDER_SECONDS
from workers.ledger.codec import releases_text, stages_text
from workers.ledger.model.masked import Mask, Shown
from workers.ledger.model.order import Order
from workers.ledger.model.run import Release, StageRecord


class Lock(BaseModel):
    """Why nothing is released to an environment; times in milliseconds since 1970.

    `run` is the rollback that holds it. One without `expires_at` stays until somebody unlocks.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["lock", "rollback"]
    by: str
    reason: Shown = ""
    at: int = 0
    expires_at: int | None = None
    run: str | None = None
    commit: str | None = None

    def told(self, environment: str) -> str:
        """Why nothing is released to an environment, in a sentence."""
        what = f"{environment} is locked by {self.by}"
        if self.kind == "rollback":
            what = f"{environment} was rolled back to {(self.commit or '')[:7]} by {self.by}"
        until = f" until {minute(self.expires_at)}" if self.expires_at else ""
        why = f", because: {self.reason}" if self.reason else ""
        return f"{what}{until}{why}"


@dataclass(frozen=True, slots=True)
class Locked:
    """What an environment is locked by, and whether that is what was asked for."""

    lock: Lock
    ours: bool


@dataclass(frozen=True, slots=True)
class Unlocked:
    """The lock that is gone, and the runs that it held back."""

    lock: Lock
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What became of a rollback's order: its run, or the lock that refuses it.

    `fresh`: whether it is a new run, and not the one of the same rollback under way.
    """

    run_id: str
    fresh: bool = False
    refused: Lock | None = None


class Locks:
    """The changes of environments' locks; each is one atomic step, on disk when it returns.

    Raises:
        NotDurableError: it may not survive a power cut; whoever asked should ask again.
    """

    def __init__(self, redis: Redis, durably: Callable[..., Any], mask: Mask) -> None:
        self._redis: Any = redis
        self._durably = durably
        self._mask = mask

    def of(self, environment: str) -> Lock | None:
        """What an environment is locked by now, or None."""
        return self.every([environment])[environment]

    def every(self, environments: Iterable[str]) -> dict[str, Lock | None]:
        """The lock of each environment, or None."""
        names = list(environments)
        texts = self._redis.mget([keys.locked(name) for name in names]) if names else []
        found = (Lock.model_validate_json(text) if text else None for text in texts)
        return dict(zip(names, found, strict=True))

    def held(self, environment: str) -> list[str]:
        """The runs that a lock of the environment holds back, or did last."""
        found: list[str] = self._redis.hvals(keys.held(environment))
        return found

    def lock(
        self,
        environment: str,
        by: str,
        reason: str,
        *,
        seconds: float | None = None,
        until: int | None = None,
    ) -> Locked:
        """Lock an environment, for some seconds or until a time (milliseconds since 1970).

        One that is locked already stays as it is.
        """
        wanted = Lock(kind="lock", by=by, reason=reason)
        lasts = "" if seconds is None else int(seconds * 1000)
        ends = "" if until is None else until
        asked = {"environment": environment, "what": self._text(wanted)}
        ours, text = self._durably("lock_environment", **asked, lasts=lasts, ends=ends)
        return Locked(Lock.model_validate_json(text), bool(ours))

    def unlock(self, environment: str, why: str, *, release: bool = True) -> Unlocked | None:
        """Let an environment's held runs go on, or end them as cancelled; None: it has no lock.

        `why` is what their logs, or their ends, say. The runs that go on are due at once; whoever
        calls rings for them.
        """
        text, *runs = self._durably(
            "unlock_environment",
            environment=environment,
            why=self._mask(why),
            end_them="" if release else "1",
        )
        return Unlocked(Lock.model_validate_json(text), tuple(runs)) if text else None

    def rollback(
        self,
        order: Order,
        stages: Sequence[str],
        on: str,
        targets: str,
        releases: Sequence[Release],
    ) -> RolledBack:
        """Take a rollback on and hold its environment.

        `targets` is what its run goes back to, as JSON; `releases` the same for those who look.
        """
        run_id, rollback = str(uuid4()), order.rollback
        environment = order.environment or ""
        lock = Lock(
            kind="rollback",
            by=order.sender or "",
            reason=rollback.reason if rollback else "",
            commit=order.commit,
        )
        answer, found = self._durably(
            "rollback",
            id=run_id,
            order_key=order.key,
            order=order.model_dump_json(context=self._mask),
            stages=stages_text(tuple(StageRecord(name=name) for name in stages)),
            queue=on,
            branch=keys.branch(order.repository, order.branch),
            repository=keys.repository(order.repository),
            broker_queue=messages.key(on),
            message=messages.message(messages.ADVANCE, run_id, run_id, on),
            order_seconds=ORDER_SECONDS,
            environment=environment,
            what=self._text(lock),
            targets=targets,
            releases=releases_text(tuple(releases)),
        )
        if answer == "locked":
            return RolledBack("", refused=Lock.model_validate_json(found))
        return RolledBack(found, fresh=answer == "accepted")

    def _text(self, lock: Lock) -> str:
        return lock.model_dump_json(exclude_none=True, context=self._mask)
