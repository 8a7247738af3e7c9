"""A gradual release that must not go on: every alias back to the version before, then the end."""

from config.together import together
from workers.attempt.context import Context
from workers.aws import shares
from workers.ledger.model.errors import (
    BusyError,
    CancelledError,
    OurError,
    PassingError,
    RunError,
    SupersededError,
    UserError,
    WaitError,
)
from workers.ledger.model.rollout import Ending, Fate, Rollout, Shift
from workers.stages.release.gradual import record as rollout_record

AGAIN_SECONDS = 10.0
LONGEST_SECONDS = 3600.0


class LockedError(RunError):
    """Somebody has locked the environment: the release begins anew when it is unlocked."""


FATES: dict[Fate, type[RunError]] = {
    "user": UserError,
    "cancelled": CancelledError,
    "superseded": SupersededError,
    "held": LockedError,
    "ours": OurError,
}


def end(context: Context, record: Rollout, error: Exception) -> None:
    """Put everything back because of an error, which the run then ends with.

    Raises:
        RunError: of the error's kind, with what became of the aliases.
        BusyError: the environment is locked; this run is as if it had not begun.
        WaitError: AWS is out of reach, and the next visit tries again.
    """
    if isinstance(error, RunError):
        fate = next((name for name, kind in FATES.items() if isinstance(error, kind)), "ours")
        why = str(error)
    else:
        fate, why = "ours", f"Slipway itself failed ({type(error).__name__})"
    ending = Ending(fate=fate, why=why, since=context.shop.ledger.now())
    record = record.model_copy(update={"ending": ending})
    # Written first: a successor goes on with this, and never forward again.
    rollout_record.write(context, record)
    context.say("release", f"{why}: putting {record.alias} back")
    go_on(context, record)


def go_on(context: Context, record: Rollout) -> None:
    """Put back what is not back yet, as `end` began it."""
    ending = record.ending
    if ending is None:
        return
    if record.state == "moving":
        record = _put_all_back(context, record, ending)
        rollout_record.write(context, record)
    if ending.fate == "held" and not record.left:
        rollout_record.forget(context)
        raise BusyError(f"{ending.why}; {_outcome(record)}")
    raise FATES[ending.fate](f"{ending.why}; {_outcome(record)}")


def _outcome(record: Rollout) -> str:
    if record.left:
        return "; ".join(record.left)
    return f"{record.alias} runs what it ran before"


def _put_all_back(context: Context, record: Rollout, ending: Ending) -> Rollout:
    def one(shift: Shift) -> str | PassingError:
        context.lease.hold()
        try:
            return _put_back(context, record, shift)
        except PassingError as error:
            return error
        except RunError as error:
            return f"{shift.function}:{record.alias} may still send requests to it: {error}"

    results = together(one, reversed(record.shifts))
    late = [result for result in results if isinstance(result, PassingError)]
    tried = (context.shop.ledger.now() - ending.since) / 1000
    if late and tried < LONGEST_SECONDS:
        raise WaitError(AGAIN_SECONDS, f"Putting {record.alias} back: {late[0]}")
    left = tuple(str(result) for result in results if str(result))
    return record.model_copy(update={"state": "left" if left else "undone", "left": left})


def _put_back(context: Context, record: Rollout, shift: Shift) -> str:
    """Put one function back; what to tell of it if it is not."""
    if shift.before == shift.version:
        return ""
    name = f"{shift.function}:{record.alias}"
    other = shares.put_back(
        context.aws,
        shift.function,
        record.alias,
        shift.before,
        lambda live: rollout_record.ours(record, shift, live),
        confirm=context.lease.renew,
    )
    where = f"release/{shift.function}"
    if other is None:
        back = f"all of it runs version {shift.before}" if shift.before else "it is gone again"
        context.say(where, f"{record.alias}: put back, {back}")
        return ""
    told = f"{name} {shares.words(other)}, as somebody else set it, and was left alone"
    context.say(where, told)
    return told
