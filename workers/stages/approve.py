"""Waits for people where the operator says so, right before the aliases move."""

from config.units import duration
from workers.attempt import branch
from workers.attempt.ancestry import was_reset
from workers.attempt.context import Context
from workers.ledger.model.approval import Vote
from workers.ledger.model.errors import CancelledError, PeopleError, SupersededError
from workers.source.snapshot import Relation


def run(context: Context) -> str:
    """Go on when enough people have approved; else wait without a worker.

    Raises:
        PeopleError: not enough have spoken yet.
        CancelledError: somebody rejected it, nobody answered in time, or its branch was deleted.
        SupersededError: a newer candidate waits already, or the branch no longer has the commit.
    """
    rule = context.environment.approval
    if rule is None:
        return "not needed"
    notes = context.notes()
    votes = notes.votes
    against = [vote for vote in votes if vote.verdict == "reject"]
    if against:
        raise CancelledError(f"rejected by {_word(against[0])}")
    left = rule.timeout - _waited(context, notes.waiting_since)
    if len(votes) >= rule.required or left > 0:
        branch.demand(context, "approve")
    if len(votes) >= rule.required:
        return f"approved by {', '.join(_word(vote) for vote in votes)}"
    if left <= 0:
        raise CancelledError(f"nobody approved it within {duration(rule.timeout)}: retry the run")
    context.say("approve", f"waiting for {rule.required - len(votes)} of {_names(rule.approvers)}")
    place = f"{context.order.repository_id}:{context.environment.name}"
    raise PeopleError(left, place, _older(context, place))


def _word(vote: Vote) -> str:
    return f"{vote.who}: {vote.note}" if vote.note else vote.who


def _names(approvers: tuple[str, ...]) -> str:
    return ", ".join(approvers) or "anybody with a token"


def _waited(context: Context, since: int | None) -> float:
    return (context.shop.ledger.now() - since) / 1000 if since else 0.0


def _older(context: Context, place: str) -> str | None:
    """The run that waits there already and gives way to this one."""
    history = context.shop.ledger.history
    other = history.run(history.waiting(place) or "")
    if other is None or other.id == context.run.id or not other.hears:
        return None
    newer = other.order.commit
    if context.relation(newer) is Relation.OLDER and not was_reset(context, newer):
        raise SupersededError(f"the newer commit {newer[:7]} waits for approval")
    return other.id
