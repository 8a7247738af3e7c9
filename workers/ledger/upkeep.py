"""What is known of published versions, so that old ones can be deleted; locks for doing that."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import uuid4

from redis import Redis

from workers.ledger import keys
from workers.ledger.history import History
from workers.ledger.model.released import Released
from workers.ledger.scripts import Scripts

LOCK_SECONDS = 45.0
"""Longer than a call to AWS takes; a worker that dies holds a function up for no longer."""
_LOCK_MILLISECONDS = int(LOCK_SECONDS * 1000)
DAY_SECONDS = 86_400.0


class Mark(NamedTuple):
    """A version as Slipway published it: only what is still just that is its own."""

    number: str
    commit: str
    sha256: str


class Upkeep:
    """Reads and changes of the ledger for those who delete old versions."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._history = History(redis)
        self._scripts = Scripts(redis)

    def published(self, home: str, function: str) -> dict[Mark, str]:
        """The versions that Slipway published, each with the latest run that wanted it."""
        rows = self._redis.hgetall(keys.published(home, function))
        return {Mark(*name.split(" ")): run for name, run in rows.items()}

    def commits(self, home: str, function: str, version: str, sha256: str) -> list[str]:
        """The commits for which Slipway published a version, in no order: one tree's share it."""
        marks, wanted = self.published(home, function), (version, sha256)
        return [mark.commit for mark in marks if (mark.number, mark.sha256) == wanted]

    def released(self, environment: str) -> list[Released]:
        """All that is kept of an environment's history, newest first."""
        return self._history.released(environment, 0, keys.RELEASES_KEPT)

    def pruned(
        self, home: str, function: str, mark: Mark, environments: Iterable[str], *, deleted: bool
    ) -> int:
        """Know a version no longer, and mark its releases; how many there were.

        `deleted`: it is counted as one that Slipway deleted.
        """
        rows = self._scripts(
            "pruned",
            published=keys.published(home, function),
            mark=" ".join(mark),
            home=home,
            name=function,
            number=mark.number,
            deleted="1" if deleted else "",
            environments=list(environments),
        )
        return int(rows)

    def settled(self, name: str) -> bool:
        """Whether something was looked at lately, and there was nothing more to do."""
        return bool(self._redis.exists(keys.once(name)))

    def settle(self, name: str, seconds: float) -> None:
        """Leave something alone for so long."""
        self._redis.set(keys.once(name), "1", ex=int(seconds))

    def since(self, name: str) -> float:
        """Seconds since `begin` was last called with a name, a day at most."""
        left = int(self._redis.pttl(keys.once(name)))
        return DAY_SECONDS if left < 0 else DAY_SECONDS - left / 1000

    def begin(self, name: str) -> None:
        """Note that something is begun now."""
        self._redis.set(keys.once(name), "1", ex=int(DAY_SECONDS))

    @contextmanager
    def locked(self, name: str) -> Iterator[bool]:
        """Whether a lock is ours while the body runs: a run that wants it waits, so be quick."""
        token = str(uuid4())
        ours = bool(
            self._scripts("upkeep_lock", name=name, token=token, milliseconds=_LOCK_MILLISECONDS)
        )
        try:
            yield ours
        finally:
            if ours:
                self._scripts("upkeep_unlock", name=name, token=token)
