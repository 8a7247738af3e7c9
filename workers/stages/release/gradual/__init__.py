"""A gradual release: shares in steps, a visit for each, no worker held between them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from redis.exceptions import RedisError

from config.strategy import Strategy, parse
from config.units import duration
from workers.attempt.context import Context
from workers.aws import aliases, shares
from workers.aws.configuration import LATEST
from workers.aws.shares import MovedError
from workers.ledger import MAX_LOSSES
from workers.ledger.model.alias import Alias
from workers.ledger.model.errors import (
    BusyError,
    DrainedError,
    OurError,
    PassingError,
    StoppedError,
    WaitError,
)
from workers.ledger.model.rollout import Rollout, Shift
from workers.ledger.model.run import Release
from workers.stages import site
from workers.stages.release import gateway
from workers.stages.release.gradual import alarms, turn, undo
from workers.stages.release.gradual import record as rollout_record
from workers.stages.release.gradual.undo import LockedError

WATCH_SECONDS = 30.0
TOGETHER = 8

Judge = Callable[[Context, Release, Alias | None], None]


@contextmanager
def guarded(context: Context) -> Iterator[None]:
    """See a gradual release to its end: whatever else ends the run puts the aliases back first."""
    try:
        yield
    except (WaitError, StoppedError, RedisError, BusyError, DrainedError):
        raise
    except PassingError as error:
        if context.last_try:
            _undo(context, error)
        raise
    except Exception as error:
        _undo(context, error)
        raise


def done(context: Context) -> None:
    """Remember that all is live: there is nothing to put back any more."""
    record = rollout_record.under_way(context)
    if record:
        now = context.shop.ledger.now()
        whole = record.taken(now).model_copy(update={"state": "done"})
        rollout_record.write(context, whole)


def _undo(context: Context, error: Exception) -> None:
    record = rollout_record.under_way(context)
    if record and record.ending is None:
        undo.end(context, record, error)


def bake(context: Context, judge: Judge, still_there: Callable[[], None]) -> None:
    """Come back when the last step is due, which is at once where nothing moves gradually.

    What a lost worker has begun to move at once is not begun anew: it is finished or put back.
    `still_there` raises before the first move if the branch no longer has the commit.

    Raises:
        WaitError: a step is in force, or another run's release is.
        RunError: it must not go on.
    """
    record = rollout_record.read(context)
    if record is None and not context.run.unfinished:
        record = _begin(context, judge, still_there)
    if record is None or record.state == "done":
        return
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


def admit(context: Context, release: Release, live: Alias | None) -> None:
    """Let the last step move an alias that is as the steps before have left it.

    Raises:
        MovedError: somebody else has moved it.
        BusyError: another run's gradual release has begun with it.
    """
    record = rollout_record.under_way(context)
    if record is None:
        holder = turn.taken(context, release.function)
        if holder:
            raise BusyError(f"run {holder} has begun a gradual release of {release.function}")
        return
    shift = next(one for one in record.shifts if one.function == release.function)
    if live is None or not rollout_record.ours(record, shift, live):
        raise MovedError(
            f"somebody else changed {shift.function}:{record.alias}: it {shares.words(live)}"
        )


def _begin(context: Context, judge: Judge, still_there: Callable[[], None]) -> Rollout | None:
    """Decide for all functions before the first moves, and write down what there is to do."""
    strategy = parse(context.environment.strategy)
    releases = context.releases()
    if not releases:
        return None
    turn.take(context, gradual=bool(strategy.shares))
    if not strategy.shares:
        return None
    with site.held(context):
        shifts = tuple(_shift(context, release, judge) for release in releases)
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


def _shift(context: Context, release: Release, judge: Judge) -> Shift:
    alias, version = context.environment.alias, release.version or ""
    live = aliases.read(context.aws, release.function, alias)
    judge(context, release, live)
    shift = Shift(function=release.function, before=None, version=version, gradual=False)
    if live is None:
        why = f"there is no {alias} yet"
    elif live.version == version:
        why = f"{alias} runs version {version} already"
    elif live.version == LATEST:
        why = f"{alias} runs {LATEST}, which Lambda gives no share"
    else:
        why = ""
    if why:
        context.say(f"release/{release.function}", f"{why}: it moves at once")
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

    with ThreadPoolExecutor(TOGETHER) as pool:
        list(pool.map(one, record.shifts))
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
