"""Budgets of calls that all workers draw on together, on Redis's clock."""

from threading import Lock
from time import monotonic

import structlog
from redis import Redis
from redis.exceptions import RedisError

from workers.ledger.scripts import Scripts

log = structlog.get_logger()

AWAY_SECONDS = 5.0
"""How long a Redis that did not answer isn't asked again: each try may cost its time-out."""


class Budgets:
    """Turns of calls, by the name of a budget; the client must be one that gives up soon."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)
        self._away_until = 0.0
        self._lock = Lock()

    def reserve(self, name: str, rate: int) -> float | None:
        """Take the next free turn: seconds until it comes; None when Redis can't say."""
        milliseconds = self._ask("budget", name=name, rate=rate)
        return None if milliseconds is None else float(milliseconds) / 1000

    def pause(self, name: str, seconds: float) -> None:
        """Let nobody have a turn for so long; where Redis can't be told, nobody is."""
        self._ask("budget_pause", name=name, milliseconds=max(1, int(seconds * 1000)))

    def _ask(self, script: str, **asked: str | int) -> str | None:
        if monotonic() < self._away_until:
            return None
        try:
            return str(self._scripts(script, **asked))
        except RedisError as error:
            with self._lock:
                fresh = monotonic() >= self._away_until
                self._away_until = monotonic() + AWAY_SECONDS
            if fresh:
                log.warning("budget_is_local", error=str(error))
            return None
