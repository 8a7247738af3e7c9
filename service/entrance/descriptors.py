"""The limit of descriptors: fewer connections than come to it, and some in hand for all else."""

import resource
from functools import cache
from time import monotonic

import structlog

from service import followers
from workers.ledger.asynchronous import MOST_AT_ONCE

RESERVED = 32
"""For files, the listening socket, the loop, and what threads open while they serve."""
THREADS = 8
"""Each has a connection to Redis of its own, and may open another descriptor."""
LEAST_CONNECTIONS = 16
QUIET_SECONDS = 10.0

log = structlog.get_logger()
_told = [float("-inf")]


@cache
def room() -> int:
    """How many connections, and followers besides, the limit of this process has room for."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(LEAST_CONNECTIONS, most - RESERVED - 2 * THREADS - MOST_AT_ONCE)


def most_followers() -> int:
    """How many followers there may be: each has a connection, and another to Redis."""
    return room() // 4


def crowded(connections: int) -> bool:
    """Whether there are too many; it is told now and then. A follower has one to Redis, too."""
    if connections + followers.count() <= room():
        return False
    now = monotonic()
    if now - _told[0] > QUIET_SECONDS:
        _told[0] = now
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        hint = "raise `ulimit -n` of the web process"
        log.warning("descriptors_used_up", limit=most, hint=hint)
    return True
