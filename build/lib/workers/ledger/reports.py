"""The HTML reports of checks, kept for a while where the web process can read them."""

import base64
import zlib
from collections.abc import Iterable
from typing import Any

from redis import Redis

from workers.ledger import keys

RECALL = "recall_report"
"""The field of a run that names the check whose report somebody asked for."""

MOST_BYTES = 5 << 20


def packed(data: bytes) -> str:
    """A file as it is kept: deflated, in base64, for the ledger's values are text."""
    return base64.b64encode(zlib.compress(data)).decode()


class Reports:
    """One hash for each report, so that a page is read without the rest of it."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    def put(
        self, run_id: str, check: str, files: Iterable[tuple[str, bytes]], seconds: float
    ) -> bool:
        """Keep a report for some seconds; False, and none of it, when packed it is over 5 MB."""
        key = keys.report(run_id, check)
        size = 0
        pipe = self._redis.pipeline()
        pipe.delete(key)
        for name, data in files:
            text = packed(data)
            size += len(text)
            if size > MOST_BYTES:
                return False
            pipe.hset(key, name, text)
        pipe.expire(key, int(seconds))
        pipe.hdel(keys.run(run_id), RECALL)
        pipe.execute()
        return True

    def read(self, run_id: str, check: str, name: str) -> bytes | None:
        """One file of a report, or None."""
        text = self._redis.hget(keys.report(run_id, check), name)
        return None if text is None else zlib.decompress(base64.b64decode(text))

    def files(self, run_id: str, check: str) -> dict[str, bytes]:
        """All files of a report that is kept now, by their names."""
        found = self._redis.hgetall(keys.report(run_id, check))
        return {name: zlib.decompress(base64.b64decode(text)) for name, text in found.items()}

    def here(self, run_id: str, check: str) -> bool:
        """Whether the report is kept now."""
        return bool(self._redis.exists(keys.report(run_id, check)))

    def wanted(self, run_id: str) -> str | None:
        """The check whose report somebody asked for."""
        found: str | None = self._redis.hget(keys.run(run_id), RECALL)
        return found

    def gone(self, run_id: str) -> None:
        """Nobody need look for what was asked for: it can't be brought back."""
        self._redis.hdel(keys.run(run_id), RECALL)
