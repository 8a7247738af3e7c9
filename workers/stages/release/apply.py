"""Carries a plan out: each alias moves by compare-and-set, then the site switches."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from config.together import together
from workers.attempt.context import Context
from workers.aws import aliases
from workers.aws.faults import ChangedError
from workers.ledger.model.alias import Alias
from workers.ledger.model.errors import BusyError, DrainedError, PassingError
from workers.ledger.model.notes import Notes
from workers.stages import site
from workers.stages.release import gateway, gradual, observe
from workers.stages.release.plan import SITE, Move, Plan

TRIES = 5

Revisions = dict[str, str | None]
"""By function, the revision that its alias has after the move."""


def apply(context: Context, plan: Plan) -> Revisions:
    """Move what the plan has, and switch the site; the revisions of the aliases afterwards.

    Raises:
        RunError: something could not be moved; what has moved is to be put back.
    """
    moving = _Moving(context, plan, dict(plan.before), list(plan.stuck))
    with gateway.following(context, plan.functions):
        if plan.tries_site:
            site.probe(context)
        moving.go()
    with moving.noted(SITE):
        site.switch(context)
    context.lease.releases(plan.released)
    return moving.revisions


@dataclass
class _Moving:
    """The moves under way; `before` and `stuck` are as they are on record."""

    context: Context
    plan: Plan
    before: dict[str, Alias | None]
    stuck: list[str]
    revisions: Revisions = field(default_factory=dict)
    noting: threading.Lock = field(default_factory=threading.Lock)

    def go(self) -> None:
        """Move those alone that could not be moved before, then the others at the same time."""
        for move in self.plan.alone:
            self._try(move)
        together(self._try, self.plan.together)

    @contextmanager
    def noted(self, name: str) -> Iterator[None]:
        """Have on record what can't be moved for now: it goes first at the next try, alone."""
        try:
            yield
        except (BusyError, DrainedError):
            raise
        except PassingError:
            with self.noting:
                self.stuck = [name, *(one for one in self.stuck if one != name)]
                self.context.note(Notes(stuck=tuple(self.stuck)))
            raise

    def _try(self, move: Move) -> None:
        with self.noted(move.function):
            self._move(move)

    def _move(self, move: Move) -> None:
        """Compare and set; whoever loses the race reads again and decides again."""
        context, alias = self.context, self.plan.alias
        for attempt in range(TRIES):
            # The decision was a moment ago, and reading an alias costs a call of the quota.
            if attempt or not aliases.stands(context.aws, move.function, alias, move.found):
                move = self._again(move)
            self._admit(move)
            # After the read: whoever takes over from now on gives the alias another revision.
            context.lease.confirm()
            try:
                moved = aliases.move(context.aws, move.function, alias, move.version, move.found)
            except ChangedError:
                if attempt == TRIES - 1:
                    raise
            else:
                self.revisions[move.function] = moved.revision_id
                self._say(move)
                return

    def _again(self, move: Move) -> Move:
        """Returns the move as things are after all, on record anew if somebody changed them."""
        found = observe.again(self.context, move)
        if not found.at_target and self.plan.rollout is None:
            with self.noting:
                name = move.function
                if name in self.before and not _same(self.before[name], found.found):
                    observe.tell(self.context, found)
                    self.before[name] = found.found
                    self.context.note(Notes(before=self.before, unfinished=True))
        observe.judge(self.context, found)
        return found

    def _admit(self, move: Move) -> None:
        if self.plan.rollout:
            gradual.admit(self.plan.rollout, move)
            return
        history = self.context.shop.ledger.history
        if holder := history.claimed([move.place], self.context.run.id):
            raise BusyError(f"run {holder} has begun a gradual release of {move.function}")

    def _say(self, move: Move) -> None:
        was = f"version {move.found.version}" if move.found else "nothing"
        now, alias = f"version {move.version}", self.plan.alias
        text = f"{alias}: unchanged, {now}" if was == now else f"{alias}: {was} → {now}"
        self.context.say(f"release/{move.function}", text)


def _same(one: Alias | None, other: Alias | None) -> bool:
    return one is other or (one is not None and other is not None and one.same(other))
