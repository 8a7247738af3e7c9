"""Error replies of a Redis that fails over, starts or is full: they pass, as a restart does.

Source: the error codes in `server.c` and `cluster.c` of Redis and Valkey; managed services answer
with them for seconds to a minute while a replica takes over.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

T = TypeVar("T")

PASSING = (
    "READONLY",
    "LOADING",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "MOVED",
    "ASK",
    "TRYAGAIN",
    "REDIRECT",
    "NOREPLICAS",
    "UNBLOCKED",
    "BUSY",
    "UNKILLABLE",
    "MISCONF",
    "OOM",
)
# Pipelines put their own words before the code, and scripts of Redis 6 put a dash.
_CODE = re.compile(rf"(?:^|caused error: |: -)({'|'.join(PASSING)})\b|max number of clients")


def passes(error: Exception) -> bool:
    """Whether Redis may well answer otherwise in a moment, perhaps over a new connection."""
    if not isinstance(error, ResponseError):
        return isinstance(error, RedisConnectionError | RedisTimeoutError | OSError)
    # redis-py takes the codes that it knows out of the text.
    return getattr(error, "status_code", None) in PASSING or _CODE.search(str(error)) is not None


class Patience(Retry):
    """As redis-py's Retry, for error replies that pass too; each gives up its connection.

    The next one may lead to the new primary, while the old one goes on as a replica.
    """

    def __init__(self, backoff: Any, retries: int) -> None:  # noqa: ANN401 - as redis-py's
        super().__init__(backoff, retries, (RedisError, OSError))

    def call_with_retry(
        self,
        do: Callable[[], T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,  # noqa: FBT001, FBT002 - as redis-py's
    ) -> T:
        """Do it, and again while what goes wrong may pass."""

        def again(error: Exception) -> bool:
            return passes(error) and (is_retryable is None or is_retryable(error))

        return super().call_with_retry(do, fail, again, with_failure_count)
