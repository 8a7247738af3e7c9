"""Functions whose old versions could not be deleted, and why: kept until that is over."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict
from redis import Redis

from workers.ledger import keys
from workers.ledger.model.masked import Mask, Shown

STALE_SECONDS = 2 * 86_400
"""What was not found again for so long is over: it is looked at every day."""


class Unpruned(BaseModel):
    """One function; `at` is when it was found last, in milliseconds since 1970."""

    model_config = ConfigDict(frozen=True)

    function: str
    why: Shown
    at: int


class UnprunedBook:
    """What is known of them, by environment."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    def of(self, environment: str) -> list[Unpruned]:
        """The functions of an environment, by name."""
        rows = self._redis.hgetall(keys.unpruned(environment))
        return self._fresh(rows) if rows else []

    def every(self, environments: Iterable[str]) -> dict[str, list[Unpruned]]:
        """Those of each environment."""
        return {name: self.of(name) for name in environments}

    def note(self, environment: str, function: str, why: str, mask: Mask = str) -> None:
        """Remember why the versions of a function stay."""
        found = Unpruned(function=function, why=why, at=self._now())
        key = keys.unpruned(environment)
        self._redis.hset(key, function, found.model_dump_json(context=mask))
        self._redis.expire(key, STALE_SECONDS)

    def clear(self, environment: str, function: str) -> None:
        """Nothing keeps them any more."""
        self._redis.hdel(keys.unpruned(environment), function)

    def _fresh(self, rows: dict[str, str]) -> list[Unpruned]:
        oldest = self._now() - STALE_SECONDS * 1000
        found = (Unpruned.model_validate_json(rows[name]) for name in sorted(rows))
        return [one for one in found if one.at > oldest]

    def _now(self) -> int:
        seconds, microseconds = self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000
