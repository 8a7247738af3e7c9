"""The one moment users notice: the aliases of a run's functions move together, or none does."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from redis.exceptions import RedisError

from workers.attempt import branch, untidy
from workers.attempt.ancestry import judge
from workers.attempt.context import Context
from workers.aws import aliases
from workers.aws.faults import ChangedError
from workers.ledger import MAX_LOSSES
from workers.ledger.model.alias import Alias
from workers.ledger.model.errors import (
    BusyError,
    DrainedError,
    OurError,
    PassingError,
    RunError,
    StoppedError,
)
from workers.ledger.model.notes import Notes
from workers.ledger.model.run import Release
from workers.stages import site
from workers.stages.deploy import republish
from workers.stages.release import before, by_hand, gateway, gradual, hold, live
from workers.stages.release.gradual import record as rollout_record

TRIES = 5
TOGETHER = 8
SITE = ""
"""The site among what could not be moved: no function has that name."""
_noting = threading.Lock()


def run(context: Context) -> str:
    """Move each function's alias to the version that this run published, and switch the site."""
    # A lost worker may have come so far that nothing but its run's end is missing.
    if not context.run.recorded:
        _go_live(context)
    gradual.done(context)
    told = "; ".join(filter(None, (_summary(context), site.announce(context))))
    order = context.order
    if order.rollback:
        return f"rolled back to {order.commit[:7]} by {order.sender}: {told}"
    return told


def _go_live(context: Context) -> None:
    back = context.order.rollback
    if back:
        republish.interrupt(context)
    with (
        hold.turn(context),
        gradual.guarded(context),
        branch.asked(context, "release") as still_there,
    ):
        if not back:
            gradual.bake(context, _decide, still_there)
        with _whole(context), site.held(context):
            _may_go_on(context)
            _release(context, still_there)


def _summary(context: Context) -> str:
    releases = context.releases()
    versions = ", ".join(f"{one.function} {one.version}" for one in releases)
    return f"{context.environment.alias} runs {versions}" if versions else ""


@contextmanager
def _whole(context: Context) -> Iterator[None]:
    """What the body moves is moved and on record, or is as it was before."""
    try:
        yield
        live.record(context)
    except (StoppedError, RedisError):
        raise
    except Exception as error:
        if not rollout_record.under_way(context):
            _put_back(context, doubt=context.run.losses > 0 or isinstance(error, PassingError))
        raise


def _may_go_on(context: Context) -> None:
    """Go on only while workers live: those beyond the usual losses are there to put back."""
    losses = context.run.losses
    if losses > MAX_LOSSES:
        raise OurError(
            f"the worker was lost {losses} times in this run; the operator should look at its log "
            "and memory; then retry the run"
        )


def _release(context: Context, still_there: Callable[[], None]) -> None:
    alias = context.environment.alias
    releases = context.releases()
    live.remember_origin(context)
    found = _remember(context, releases, still_there)
    functions = [release.function for release in releases]
    unpermitted = gateway.permit(context, functions)
    if not unpermitted:
        # An API that can't be prepared leaves the aliases where they are.
        gateway.prepare(context, functions)
    if SITE in _stuck(context):
        site.probe(context)
    _move_all(context, releases, found)
    if unpermitted:
        gateway.permit(context, unpermitted)
        gateway.prepare(context, functions)
    with _noted(context, SITE):
        site.switch(context)
    context.lease.releases(release.model_copy(update={"alias": alias}) for release in releases)


def _commit(context: Context, release: Release, found: Alias) -> str | None:
    """What the alias runs: our record knows better than the version, which may be shared."""
    record = context.shop.ledger.history.live(context.place(release.function))
    return record["commit"] if record.get("version") == found.version else found.commit


def _remember(
    context: Context, releases: tuple[Release, ...], still_there: Callable[[], None]
) -> dict[str, Alias | None]:
    """Decide for all before the first moves, and write down what was live, for a successor."""
    found = before.look(context, releases)
    for release in releases:
        _decide(context, release, found[release.function])
    still_there()
    if context.notes().before is None:
        before.note(context, found)
    return found


def _move_all(
    context: Context, releases: tuple[Release, ...], found: dict[str, Alias | None]
) -> None:
    """Move the aliases at the same time, so that users see old beside new as shortly as can be.

    One that could not move goes first at the next try, alone: what it would have put back again
    has not moved.
    """
    stuck = _stuck(context)
    by_name = {release.function: release for release in releases}
    for name in [one for one in stuck if one in by_name]:
        _try(context, by_name.pop(name), found[name])
    releases = tuple(by_name.values())
    with ThreadPoolExecutor(TOGETHER) as pool:
        moves = [pool.submit(_try, context, one, found[one.function]) for one in releases]
        try:
            for one in moves:
                one.result()
        finally:
            # After a fault no other begins; those under way end, and then all are put back.
            pool.shutdown(cancel_futures=True)


def _stuck(context: Context) -> tuple[str, ...]:
    """The functions, or SITE, that could not be moved at an earlier try, the latest first."""
    return context.notes().stuck


def _try(context: Context, release: Release, found: Alias | None) -> None:
    with _noted(context, release.function):
        _move(context, release, found)


@contextmanager
def _noted(context: Context, name: str) -> Iterator[None]:
    """What can't move for now is on record, for the next try."""
    try:
        yield
    except (BusyError, DrainedError):
        raise
    except PassingError:
        with _noting:
            others = [one for one in _stuck(context) if one != name]
            context.note(Notes(stuck=(name, *others)))
        raise


def _move(context: Context, release: Release, found: Alias | None) -> None:
    """Compare and set; whoever loses the race reads again and decides again."""
    alias = context.environment.alias
    for attempt in range(TRIES):
        # The first decision was a moment ago, and reading an alias costs a call of the quota.
        if attempt or not aliases.stands(context.aws, release.function, alias, found):
            found = before.again(context, release)
        _judge(context, release, found)
        gradual.admit(context, release, found)
        # After the read: whoever takes over from now on gives the alias another revision.
        context.lease.confirm()
        try:
            moved = aliases.move(context.aws, release.function, alias, release.version or "", found)
        except ChangedError:
            if attempt == TRIES - 1:
                raise
        else:
            context.revisions[release.function] = moved.revision_id
            was = f"version {found.version}" if found else "nothing"
            now = f"version {release.version}"
            text = f"{alias}: unchanged, {now}" if was == now else f"{alias}: {was} → {now}"
            context.say(f"release/{release.function}", text)
            return


def _decide(context: Context, release: Release, found: Alias | None) -> None:
    # What this run has moved itself is no news.
    if context.notes().before is None:
        by_hand.tell(context, release.function, found)
    _judge(context, release, found)


def _judge(context: Context, release: Release, found: Alias | None) -> None:
    """Order is ancestry: an alias never goes back to an older commit by itself."""
    if found is None:
        return
    where = f"{release.function}:{context.environment.alias}"
    commit = _commit(context, release, found)
    recorded = context.shop.ledger.history.live(context.place(release.function))
    ours = recorded.get("version") == found.version
    judge(context, where, commit, f"version {found.version}", recorded=ours)


def _put_back(context: Context, *, doubt: bool) -> None:
    """Undo what has moved, also what a lost worker has, so that all run what they ran before.

    `doubt`: a move may still be on its way to AWS, and must come too late.
    """
    alias = context.environment.alias
    noted = before.noted(context)
    done = True
    for release in reversed([one for one in context.releases() if one.function in noted]):
        name, version = release.function, release.version or ""
        try:
            if aliases.put_back(
                context.aws,
                name,
                alias,
                noted[name],
                version,
                confirm=context.lease.renew,
                seal=doubt,
            ):
                context.say(f"release/{name}", f"{alias}: back to what it was")
            untidy.clear(context, f"{name}:{alias}")
        except RunError as error:
            # The others still go back; what started this is what the run ends with.
            why = f"{alias} may still run version {version}: {error}"
            context.say(f"release/{name}", why)
            untidy.note(context, f"{name}:{alias}", why)
            done = False
    if done:
        context.note(Notes(before=None, unfinished=False))
