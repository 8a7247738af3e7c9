"""A gradual release: shares in steps, a visit for each, no worker held between them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from config.strategy import Strategy, parse
from config.together import together
from config.units import duration
from workers.attempt.context import Context
from workers.aws import aliases, shares
from workers.aws.configuration import LATEST
from workers.aws.shares import MovedError
from workers.ledger import MAX_LOSSES
from workers.ledger.model.errors import (
    BusyError,
    DrainedError,
    OurError,
    PassingError,
    StoppedError,
    WaitError,
)
from workers.ledger.model.notes import Notes
from workers.ledger.model.rollout import Rollout, Shift
from workers.ledger.model.run import Release
from workers.stages import site
from workers.stages.release import gateway, observe
from workers.stages.release.gradual import alarms, turn, undo
from workers.stages.release.gradual import record as rollout_record
from workers.stages.release.gradual.undo import LockedError
from workers.stages.release.plan import Move

WATCH_SECONDS = 30.0


@contextmanager
def steps(
    context: Context,
    notes: Notes,
    releases: tuple[Release, ...],
    still_there: Callable[[], None],
) -> Iterator[Rollout | None]:
    """Take the steps before the last one, and see the release to its end.

    The body, which moves all there is, gets the record of the steps; None where there were none.
    Whatever else ends the run puts the aliases back first. `still_there` raises before the first
    move if the branch no longer has the commit.

    Raises:
        WaitError: a step is in force, or another run's release is.
        RunError: it must not go on.
    """
    try:
        record = (
            notes.rollout if context.order.rollback else _due(context, notes, releases, still_there)
        )
        yield record
    except (WaitError, StoppedError, RedisError, BusyError, DrainedError):
        raise
    except PassingError as error:
        if context.last_try:
            _undo(context, error)
        raise
    except Exception as error:
        _undo(context, error)
        raise
    if record:
        done(context, record)


def done(context: Context, record: Rollout | None) -> None:
    """Remember that all is live: there is nothing to put back any more."""
    if record and record.state == "moving":
        now = context.shop.ledger.now()
        whole = record.taken(now).model_copy(update={"state": "done"})
        rollout_record.write(context, whole)


def _undo(context: Context, error: Exception) -> None:
    record = rollout_record.under_way(context)
    if record and record.ending is None:
        undo.end(context, record, error)


def _due(
    context: Context,
    notes: Notes,
    releases: tuple[Release, ...],
    still_there: Callable[[], None],
) -> Rollout | None:
    """The release whose last step is due; None where nothing moves gradually.

    What a lost worker has begun to move at once is not begun anew: it is finished or put back.
    """
    record = notes.rollout
    if record is None and not context.run.unfinished:
        record = _begin(context, notes, releases, still_there)
    if record is None or record.state == "done":
        return None
    undo.go_on(context, record)
    # Read once, before the alarms: no step is taken on a look from before its time.
    now = context.shop.ledger.now()
    _may_go_on(context, record, now)
    if record.since is not None:
        _wait(record, now)
        record = record.taking(record.step + 1)
        rollout_record.write(context, record)
    if not record.last:
        _take(context, record)
    return record


def admit(record: Rollout, move: Move) -> None:
    """Let the last step move an alias that is as the steps before have left it.

    Raises:
        MovedError: somebody else has moved it.
    """
    shift = next(one for one in record.shifts if one.function == move.function)
    if move.found is None or not rollout_record.ours(record, shift, move.found):
        raise MovedError(
            f"somebody else changed {shift.function}:{record.alias}: it {shares.words(move.found)}"
        )


def _begin(
    context: Context,
    notes: Notes,
    releases: tuple[Release, ...],
    still_there: Callable[[], None],
) -> Rollout | None:
    """Decide for all functions before the first moves, and write down what there is to do."""
    strategy = parse(context.environment.strategy)
    if not releases:
        return None
    places = [context.place(release.function) for release in releases]
    turn.take(context, places, gradual=bool(strategy.shares))
    if not strategy.shares:
        return None
    with site.held(context):
        aloud = notes.before is None
        moves = (_found(context, *part) for part in zip(releases, places, strict=True))
        shifts = tuple(_shift(context, move, aloud=aloud) for move in moves)
    record = Rollout(
        strategy=strategy.name,
        alias=context.environment.alias,
        shares=strategy.shares,
        seconds=strategy.seconds,
        shifts=shifts,
    )
    if not any(shift.gradual for shift in shifts):
        return None
    still_there()
    alarms.before(context, record)
    gateway.permit(context, [shift.function for shift in shifts])
    rollout_record.write_first(context, record)
    context.say("release", _plan(strategy))
    return record


def _plan(strategy: Strategy) -> str:
    steps = ", ".join(f"{share} %" for share in strategy.shares)
    return f"{strategy.name}: {steps} for {duration(strategy.seconds)} each, then all"


def _found(context: Context, release: Release, place: str) -> Move:
    live = aliases.read(context.aws, release.function, context.environment.alias)
    return Move(release, place, live, context.shop.ledger.history.live(place))


def _shift(context: Context, move: Move, *, aloud: bool) -> Shift:
    alias, version, live = context.environment.alias, move.version, move.found
    observe.decide(context, move, aloud=aloud)
    shift = Shift(function=move.function, before=None, version=version, gradual=False)
    if live is None:
        why = f"there is no {alias} yet"
    elif live.version == version:
        why = f"{alias} runs version {version} already"
    elif live.version == LATEST:
        why = f"{alias} runs {LATEST}, which Lambda gives no share"
    else:
        why = ""
    if why:
        context.say(f"release/{move.function}", f"{why}: it moves at once")
    if live is None:
        return shift
    before = {"before": live.version, "weights": dict(live.weights), "gradual": not why}
    return shift.model_copy(update=before)


def _may_go_on(context: Context, record: Rollout, now: int) -> None:
    context.lease.check()
    lock = context.shop.ledger.locks.of(context.environment.name)
    # A rollback ends the run itself, and has it cancelled.
    if lock and lock.kind == "lock":
        raise LockedError(lock.told(context.environment.name))
    if context.run.losses > MAX_LOSSES:
        raise OurError(f"the worker was lost {context.run.losses} times in this run")
    if context.environment.alias != record.alias:
        raise OurError(f"the operator's file names the alias {context.environment.alias} now")
    due = record.next_at is not None and record.next_at <= now
    alarms.between(context, record, aloud=due)


def _wait(record: Rollout, now: int) -> None:
    """Come back if the step's time is over.

    Raises:
        WaitError: it is not.
    """
    left = ((record.next_at or 0) - now) / 1000
    if left > 0:
        raise WaitError(min(left, WATCH_SECONDS), str(record))


def _take(context: Context, record: Rollout) -> None:
    """Give every function its next share; the step's time begins when all have it."""

    def one(shift: Shift) -> None:
        context.lease.check()
        if shift.gradual or record.step == 1:
            _steer(context, record, shift)

    together(one, record.shifts)
    if record.step == 1:
        new = [shift.function for shift in record.shifts if shift.before is None]
        gateway.permit(context, new)
    record = record.taken(context.shop.ledger.now())
    rollout_record.write(context, record)
    context.say("release", f"step {record.step} of {record.steps}: {record}")
    _wait(record, context.shop.ledger.now())


def _steer(context: Context, record: Rollout, shift: Shift) -> None:
    left = rollout_record.at(record, shift, record.step - 1)
    wanted = rollout_record.at(record, shift, record.step)
    if wanted is None:
        return
    confirm = context.lease.confirm
    shares.step(context.aws, shift.function, record.alias, left, wanted, confirm=confirm)
    context.say(f"release/{shift.function}", f"{record.alias}: {shares.told(wanted)}")
