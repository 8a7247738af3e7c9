"""Locking an environment by hand, and letting what it held back go on."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple, Self

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, model_validator

from config.values import Seconds
from service.actions.operated import operated
from service.actions.refusal import Refused
from service.web import Web
from workers.ledger import messages
from workers.ledger.locks import Lock
from workers.ledger.model.run import Run

log = structlog.get_logger()


class Reopened(NamedTuple):
    """The lock that an environment had, and the runs that it held back."""

    lock: Lock
    runs: tuple[Run, ...]


LONGEST = timedelta(days=366)


Reason = Annotated[str, Field(max_length=500)]


class Locking(BaseModel):
    """Why and until when, if given: `expires_in` is a duration like "2h", `until` a time."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Reason, Field(min_length=1, pattern=r"\S")] | None = None
    expires_in: Seconds | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.expires_in is not None and self.until is not None:
            raise ValueError("send expires_in or until, not both")
        now = datetime.now(UTC)
        if self.until is not None and not now < self.until < now + LONGEST:
            raise ValueError("until: expected a time in the next 366 days")
        return self


class Unlocking(BaseModel):
    """Whether what was held goes on, and why."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = ""
    release: StrictBool = True


def close(web: Web, name: str, who: str, asked: Locking) -> Lock:
    """Lock an environment for somebody; the lock.

    Raises:
        Refused: 403, 404, or 409 where it is locked.
    """
    operated(web, name, who)
    until = int(asked.until.timestamp() * 1000) if asked.until else None
    reason = " ".join((asked.reason or "").split())
    answer = web.ledger.locks.lock(name, who, reason, seconds=asked.expires_in, until=until)
    if not answer.ours:
        raise Refused(409, f"{answer.lock.told(name)}. Unlock it first: `slipway unlock {name}`.")
    log.info("environment_locked", environment=name, by=who, reason=reason)
    return answer.lock


def reopen(web: Web, name: str, who: str, asked: Unlocking) -> Reopened:
    """Unlock an environment for somebody; what was held.

    Raises:
        Refused: 403, 404, or 409 where nobody locked it.
    """
    operated(web, name, who)
    reason = " ".join(asked.reason.split())
    because = f", because: {reason}" if reason else ""
    how = "" if asked.release else " without releasing it"
    why = f"{who} unlocked {name}{how}{because}"
    answer = web.ledger.locks.unlock(name, why, release=asked.release)
    if answer is None:
        raise Refused(409, f"{name} is not locked.")
    log.info("environment_unlocked", environment=name, by=who, reason=reason, runs=answer.runs)
    runs = [run for run_id in answer.runs if (run := web.ledger.history.run(run_id))]
    for run in runs:
        web.ledger.ring(messages.ADVANCE if asked.release else messages.REPORT, run.id, "deploy")
    return Reopened(answer.lock, tuple(runs))
