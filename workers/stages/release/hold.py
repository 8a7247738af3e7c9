"""While somebody has locked an environment, what would change it waits, without a worker."""

from collections.abc import Iterator
from contextlib import contextmanager

from workers.attempt.ancestry import was_reset
from workers.attempt.context import Context
from workers.ledger.locks import Lock
from workers.ledger.model.errors import CancelledError, HeldError, SupersededError
from workers.ledger.model.notes import Notes
from workers.ledger.model.run import Run
from workers.source.snapshot import Relation
from workers.stages import ownership


@contextmanager
def turn(context: Context) -> Iterator[Notes]:
    """Let one run of a repository at a time change an environment, and none that is locked.

    The body gets what is on record of the run.

    Raises:
        HeldError: somebody has locked it.
        BusyError: another run's aliases are moving.
        CancelledError: this run's rollback was called off, or it gives way to another one.
        SupersededError: a newer commit waits for the same lock.
        UserError, OurError: what it would change is another's.
    """
    with context.lease.locked(f"release:{_place(context)}:{context.environment.name}"):
        # Some of it may have moved: a lock that came later, and even a wish that the run end, waits
        # for the rest or for the way back.
        notes = context.notes()
        if notes.before is None and not context.run.unfinished:
            context.lease.confirm()
            _admit(context, notes)
            ownership.take(context)
        yield notes


def _place(context: Context) -> str:
    return str(context.order.repository_id)


def _admit(context: Context, notes: Notes) -> None:
    lock = context.lease.admitted(context.environment.name, _place(context))
    if context.order.purpose == "rollback":
        if lock is None or lock.run != context.run.id:
            raise CancelledError(
                f"{context.environment.name} was unlocked, or rolled back once more, before this "
                "rollback had begun; nothing was moved"
            )
    elif lock is not None:
        _hold(context, lock)
    elif notes.unlocked:
        context.say("release", notes.unlocked)


def _hold(context: Context, lock: Lock) -> None:
    name = context.environment.name
    why = f"Held: {lock.told(name)}"
    older = _older(context)
    if all(stage.summary != why for stage in context.run.stages):
        context.say("release", why)
    raise HeldError(why, name, _place(context), older)


def _older(context: Context) -> str | None:
    """The run that the same lock holds back already, and that gives way to this one."""
    ledger = context.shop.ledger
    for run_id in ledger.locks.held(context.environment.name):
        other = ledger.history.run(run_id)
        if other is None or not _rival(other, context.run):
            continue
        newer = other.order.commit
        if context.relation(newer) is Relation.OLDER and not was_reset(context, newer):
            raise SupersededError(f"the newer commit {newer[:7]} waits for the same lock")
        return other.id
    return None


def _rival(other: Run, run: Run) -> bool:
    same = other.order.repository_id == run.order.repository_id
    return same and other.id != run.id and not other.state.final
