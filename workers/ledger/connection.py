"""Connections to the Redis that is the book of record, and proof that it keeps what it is told."""

from collections.abc import Generator
from typing import Any

from redis import Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from workers.ledger.failover import Patience
from workers.ledger.schema import taken_over

HASTY_SECONDS = 0.6
PATIENT_SECONDS = 5.0
WAITAOF_VERSION = (7, 2)


class LedgerError(RuntimeError):
    """The ledger can't be trusted or reached; the text says what the operator must change."""


def hasty(url: str) -> Redis:
    """A client for the web process: an answer within a second, or an error."""
    return _client(url, HASTY_SECONDS, Patience(NoBackoff(), 0))


def patient(url: str) -> Redis:
    """A client for workers: sits out a restart or a failover of Redis for about 20 seconds."""
    return _client(url, PATIENT_SECONDS, Patience(ExponentialBackoff(cap=3, base=0.05), 12))


def listening(url: str) -> Redis:
    """A client for reads that wait for news: its own connections, none of them tried again.

    What blocks must say how long: for less than PATIENT_SECONDS, or the socket gives up first.
    """
    return _client(url, PATIENT_SECONDS, Patience(NoBackoff(), 0))


def _client(url: str, seconds: float, retry: Retry) -> Redis:
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        socket_keepalive=True,
        health_check_interval=30,
        retry=retry,
        redis_connect_func=_connect,
    )


Steps = Generator[tuple[str, ...], Any, bool]
"""Commands that are asked one by one, each answered by its reply, or by its error."""


def _connect(connection: AbstractConnection) -> None:
    """Open a connection; a Redis that could lose data is as good as none."""
    connection.on_connect()
    steps = proof()
    try:
        asked = next(steps)
        while True:
            connection.send_command(*asked)
            asked = tell(steps, _reply(connection))
    except StopIteration:
        return
    except (LedgerError, ResponseError) as error:
        connection.disconnect()
        raise RedisConnectionError(str(error)) from error


def _reply(connection: AbstractConnection) -> Any:  # noqa: ANN401 - any Redis reply
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


def tell(steps: Steps, reply: Any) -> tuple[str, ...]:  # noqa: ANN401 - any Redis reply
    """Tell the steps of a reply, or of an error in its place; returns their next command.

    Raises:
        StopIteration: there is none; its value says whether writes must be waited for.
    """
    return steps.throw(reply) if isinstance(reply, ResponseError) else steps.send(reply)


def proof() -> Steps:
    """Have each write synced, and the ledger of the version before taken over.

    Returns whether each write must be waited for.

    Raises:
        LedgerError: this Redis could lose data, or its ledger is of a newer version.
        ResponseError: it is too old to be asked for the sync, and may not be set up.
    """
    waits = yield from _durable()
    if refused := (yield from taken_over()):
        raise LedgerError(refused)
    return waits


def _durable() -> Steps:
    """Have each write synced, where the server lets us; returns whether it must be waited for.

    WAITAOF alone would do, but `appendfsync everysec` makes it take up to a second.
    """
    text = str((yield ("INFO",)))
    settings = dict(line.partition(":")[::2] for line in text.splitlines() if ":" in line)
    _prove(settings)
    if (yield from _synced()):
        return False
    major, minor = settings["redis_version"].split(".")[:2]
    try:
        yield ("CONFIG", "SET", "appendfsync", "always")
    except ResponseError:
        if (int(major), int(minor)) < WAITAOF_VERSION:
            raise
        return True
    return not (yield from _synced())


def _synced() -> Steps:
    """Whether each write is synced before its reply; where CONFIG is forbidden nobody knows."""
    try:
        reply = yield ("CONFIG", "GET", "appendfsync")
    except ResponseError:
        return False
    return "always" in (reply.values() if isinstance(reply, dict) else reply)


def _prove(settings: dict[str, Any]) -> None:
    if settings.get("aof_enabled") != "1":
        raise LedgerError(
            "This Redis has no append-only file, so a restart would lose accepted pushes. "
            "Set `appendonly yes` in its configuration."
        )
    policy = settings.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise LedgerError(
            f"This Redis may evict runs when memory is short (maxmemory-policy {policy}). "
            "Set `maxmemory-policy noeviction`."
        )


def needs_waitaof(redis: Redis) -> bool:
    """Whether each acceptance must wait for the append-only file: the server syncs it later.

    Source: WAITAOF in the Redis command reference, server 7.2 and later.
    """
    try:
        return redis.config_get("appendfsync").get("appendfsync") != "always"
    except ResponseError:
        # Where CONFIG is forbidden nobody knows; asking for the sync is right in any case.
        return True


def refuse_lossy(url: str) -> str | None:
    """What is wrong with this Redis, or None; one that can't be reached is not judged.

    Raises:
        LedgerError: it answers, and could lose data.
    """
    client = _client(url, PATIENT_SECONDS, Patience(NoBackoff(), 0))
    try:
        client.ping()
    except RedisError as error:
        if isinstance(error.__cause__, LedgerError):
            raise error.__cause__ from None
        return str(error)
    finally:
        client.close()
    return None
