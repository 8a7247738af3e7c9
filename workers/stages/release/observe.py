"""Reads what a release will find, and makes its plan: what may move is judged for all at once."""

from collections.abc import Callable
from dataclasses import replace

from config.together import together
from workers.attempt import ancestry
from workers.attempt.context import Context
from workers.aws import aliases
from workers.ledger.model.alias import Alias
from workers.ledger.model.notes import Notes
from workers.ledger.model.released import Released
from workers.ledger.model.rollout import Rollout
from workers.ledger.model.run import Release
from workers.stages import site
from workers.stages.release.plan import Move, Plan


def plan(
    context: Context,
    notes: Notes,
    releases: tuple[Release, ...],
    rollout: Rollout | None,
    still_there: Callable[[], None],
) -> Plan:
    """Returns the plan, once all in it may move, and what it goes back to is on record.

    Raises:
        RunError: one of them may not move, or the branch no longer has the commit.
    """
    places = [context.place(release.function) for release in releases]
    records = context.shop.ledger.history.lives(places)

    def one(part: tuple[Release, str, Released | None]) -> Move:
        release, place, record = part
        # In the middle of a gradual release, what is on record is the release before.
        known = _cheaply(context, release, record) if rollout is None else None
        return Move(release, place, known or _read(context, release.function), record)

    moves = tuple(together(one, zip(releases, places, records, strict=True)))
    made = Plan(
        context.environment.alias,
        moves,
        stuck=notes.stuck,
        noted=notes.before,
        rollout=rollout,
        origin=_origin(context, notes, moves),
    )
    for move in moves:
        # What this run has moved itself is no news.
        decide(context, move, aloud=notes.before is None)
    still_there()
    _note(context, notes, made)
    return made


def _note(context: Context, notes: Notes, made: Plan) -> None:
    """Write down what was live, for whoever goes back, before anything moves."""
    if notes.before is None:
        context.note(Notes(before=dict(made.before), unfinished=True))
    if notes.origin is None and made.origin is not None:
        context.note(Notes(origin=dict(made.origin)))


def _origin(
    context: Context, notes: Notes, moves: tuple[Move, ...]
) -> dict[str, str | None] | None:
    """The commit that each part of a rollback ran before it, as its first try found it."""
    if context.order.purpose != "rollback" or notes.origin is not None:
        return notes.origin
    origin = {move.place: move.record.commit if move.record else None for move in moves}
    for place, _ in site.live(context):
        record = context.shop.ledger.history.live(place)
        origin[place] = record.commit if record else None
    return origin


def _cheaply(context: Context, release: Release, record: Released | None) -> Alias | None:
    """What our record says, if AWS shows the same version; None if only the alias can tell.

    This spares a call of Lambda's scarce quota. The revision on record has AWS refuse the move if
    anything else has changed, such as weights.
    """
    # Where nothing is to be moved, AWS has no occasion to refuse.
    if not (record and record.revision and record.version) or record.version == release.version:
        return None
    known = Alias(record.version, record.revision, commit=record.commit)
    alias = context.environment.alias
    return known if aliases.stands(context.aws, release.function, alias, known) else None


def _read(context: Context, function: str) -> Alias | None:
    return aliases.read(context.aws, function, context.environment.alias)


def again(context: Context, move: Move) -> Move:
    """Returns a move whose alias, or our record of it, somebody else has changed meanwhile."""
    found = _read(context, move.function)
    return replace(move, found=found, record=context.shop.ledger.history.live(move.place))


def decide(context: Context, move: Move, *, aloud: bool) -> None:
    """Let an alias move; `aloud` says in the run's log what was done to it by hand before.

    Raises:
        RunError: as `ancestry.judge`.
    """
    if aloud:
        tell(context, move)
    judge(context, move)


def tell(context: Context, move: Move) -> None:
    """Say what about an alias is not as Slipway left it."""
    for one in move.by_hand(context.environment.alias):
        text = f"changed by hand since the last release: {one.text}"
        context.say(f"release/{move.function}", text)


def judge(context: Context, move: Move) -> None:
    """Order is ancestry: an alias never goes back to an older commit by itself.

    Raises:
        RunError: as `ancestry.judge`.
    """
    if move.found is not None:
        where = f"{move.function}:{context.environment.alias}"
        named = f"version {move.found.version}"
        ancestry.judge(context, where, move.commit, named, recorded=move.ours)
