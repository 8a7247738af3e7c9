"""Records of versions that knew no account: which there are, and how they are written anew."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from redis import Redis

from workers.ledger import keys
from workers.ledger.upkeep import Mark

SITE = "site:"
PARTS = 2
"""How many slashes the place of an alias had: region, function, alias."""


class Former:
    """What the previous version has left; each change is harmless when it is made twice."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    def live(self) -> dict[str, dict[str, Any]]:
        """What was live at each place that names no account."""
        return {
            place: json.loads(text)
            for place, text in self._redis.hgetall(keys.LIVE).items()
            if _former(place)
        }

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What is live at each place that names its account, and at each site."""
        for place, text in self._redis.hgetall(keys.LIVE).items():
            if not _former(place):
                yield place, json.loads(text)

    def rollouts(self) -> dict[str, str]:
        """The run whose gradual release had each place that names no account."""
        found = self._redis.hgetall(keys.ROLLOUTS).items()
        return {place: run for place, run in found if _former(place)}

    def published(self, functions: Iterable[str]) -> dict[str, dict[Mark, str]]:
        """The versions of each function that were Slipway's, with the latest run of each."""
        names = list(functions)
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.hgetall(_published(name))
        found = zip(names, pipe.execute(), strict=True)
        return {
            name: {Mark(*mark.split(" ")): run for mark, run in rows.items()}
            for name, rows in found
            if rows
        }

    def begun(self, region: str, function: str, commit: str) -> bool:
        """Whether somebody has begun to publish a commit."""
        return bool(self._redis.exists(keys.once(f"version:{region}/{function}/{commit}")))

    def keep_live(self, place: str, what: Mapping[str, Any]) -> None:
        """Remember what is live at a place, unless that is known."""
        self._redis.hsetnx(keys.LIVE, place, json.dumps(what))

    def keep_rollout(self, place: str, run_id: str) -> None:
        """Remember whose gradual release has a place, unless that is known."""
        self._redis.hsetnx(keys.ROLLOUTS, place, run_id)

    def keep_published(self, home: str, function: str, mark: Mark, run_id: str) -> None:
        """Remember a version as Slipway's, unless it is known."""
        self._redis.hsetnx(keys.published(home, function), " ".join(mark), run_id)

    def drop(self, live: Iterable[str], rollouts: Iterable[str], functions: Iterable[str]) -> None:
        """Forget what is written anew."""
        pipe = self._redis.pipeline(transaction=True)
        for name, places in ((keys.LIVE, list(live)), (keys.ROLLOUTS, list(rollouts))):
            if places:
                pipe.hdel(name, *places)
        for function in functions:
            pipe.delete(_published(function))
        pipe.execute()


def _former(place: str) -> bool:
    return place.count("/") == PARTS and not place.startswith(SITE)


def _published(function: str) -> str:
    return f"{keys.PUBLISHED}{function}"
