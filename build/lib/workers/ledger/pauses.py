"""Pauses that someone outside asked for, kept by all workers: one was told, all wait."""

from contextlib import suppress
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from workers.ledger import keys


class Pauses:
    """Whom to leave alone, and for how long, on Redis's clock."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    def left(self, name: str) -> float:
        """Seconds until `name` may be asked again; 0 when it may be now, or nobody knows."""
        with suppress(RedisError):
            return max(0.0, float(self._redis.pttl(keys.pause(name))) / 1000)
        return 0.0

    def begin(self, name: str, seconds: float) -> None:
        """Have everybody leave `name` alone for some seconds."""
        with suppress(RedisError):
            self._redis.set(keys.pause(name), "1", px=max(1, int(seconds * 1000)))
