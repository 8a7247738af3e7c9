"""What a run has on record of its gradual release, and where that leaves each alias."""

from workers.attempt.context import Context
from workers.aws import shares
from workers.ledger.model.alias import Alias
from workers.ledger.model.notes import Notes
from workers.ledger.model.rollout import Rollout, Shift


def read(context: Context) -> Rollout | None:
    """The gradual release of this run, if it has begun one."""
    return context.notes().rollout


def under_way(context: Context) -> Rollout | None:
    """As `read`, while there are shares to finish or to put back."""
    record = read(context)
    return record if record and record.state == "moving" else None


def write(context: Context, record: Rollout) -> None:
    """Remember it before anything that follows from it is done; people see it."""
    unfinished = "yes" if record.state == "moving" else ""
    context.lease.rollout(record, unfinished=unfinished)


def write_first(context: Context, record: Rollout) -> None:
    """Remember it, and for a release that ends all at once what it would put back."""
    before = {
        shift.function: Alias(shift.before, None) if shift.before else None
        for shift in record.shifts
    }
    context.note(Notes(before=before))
    write(context, record)


def forget(context: Context) -> None:
    """Be as if it had not begun: all is back, and the run may begin it once more."""
    context.note(Notes(before=None, rollout=None, unfinished=False), visible=True)


def at(record: Rollout, shift: Shift, step: int) -> Alias | None:
    """Where a step leaves an alias; step 0 is as it was found."""
    if step < 1:
        return Alias(shift.before, None, shift.weights) if shift.before else None
    if shift.before is None or not shift.gradual:
        return Alias(shift.version, None)
    return shares.split(shift.before, shift.version, record.share(step))


def ours(record: Rollout, shift: Shift, live: Alias) -> bool:
    """Whether an alias is as this step, or the one before it, leaves it."""
    for step in (record.step - 1, record.step):
        left = at(record, shift, step)
        if left and live.same(left):
            return True
    whole = record.last or not shift.gradual
    # Where concurrency is provisioned, AWS adds shares of its own after a move.
    return whole and live.version == shift.version and set(live.weights) <= {shift.before}
