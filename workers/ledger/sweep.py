"""What a sweep looks for in the ledger: runs that should be going on, and those to be forgotten."""

from typing import Any, NamedTuple

from redis import Redis

from workers.ledger import keys
from workers.ledger.scripts import Scripts

LIMIT = 50
"""How many runs of each queue are told of at once, and how many are forgotten."""
LOOKS = 2000
"""How many due runs are looked at for that, which takes Redis 2 ms."""


class Overdue(NamedTuple):
    """What a sweep found: runs with the queue of their next stage, and runs with news to tell.

    `urgent`, the first of the runs: their worker was lost, or they have moved something.
    """

    runs: list[tuple[str, str]]
    reports: list[str]
    urgent: frozenset[str]


def overdue(scripts: Scripts, grace: float, *, everywhere: bool) -> Overdue:
    """What should be going on for `grace` seconds and may not be, some runs of each queue.

    The oldest are looked at; `everywhere`: and with each call others of those behind them.
    """
    urgent, urgent_on, others, others_on, reports = scripts(
        "overdue", grace=int(grace * 1000), limit=LIMIT, most=LOOKS, round=int(everywhere)
    )
    runs = zip([*urgent, *others], [*urgent_on, *others_on], strict=True)
    return Overdue(list(runs), reports, frozenset(urgent))


def forget(redis: Redis, scripts: Scripts, keep: int, days: float) -> int:
    """Forget ended runs beyond a count or an age, some at a time; how many went.

    What can't be forgotten yet is passed over: the next call goes on behind it.
    """
    book: Any = redis
    seconds, _ = book.time()
    cutoff = (seconds - days * 86400) * 1_000_000
    surplus = int(book.zcard(keys.RUNS)) - keep
    # Both are the oldest so many: runs are in the order of their age.
    old = max(int(book.zcount(keys.RUNS, "-inf", cutoff)), surplus)
    start = int(book.get(keys.PRUNE_FROM) or 0)
    end = min(start + LIMIT, old)
    ids = book.zrange(keys.RUNS, start, end - 1) if start < end else []
    gone = sum(int(scripts("forget", id=run_id)) for run_id in ids)
    behind = start + len(ids) - gone if end < old else 0
    if behind != start:
        book.set(keys.PRUNE_FROM, behind)
    return gone
