"""Connections to the Redis that is the book of record, and proof that it keeps what it is told."""

from typing import Any

from redis import Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from workers.ledger.failover import Patience

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


def _connect(connection: AbstractConnection) -> None:
    """Open a connection; a Redis that could lose data is as good as none."""
    connection.on_connect()
    try:
        settings = _settings(connection)
        _prove(settings)
        if settings.get("appendfsync") != "always":
            _sync_each_write(connection, settings["version"])
    except (LedgerError, ResponseError) as error:
        connection.disconnect()
        raise RedisConnectionError(str(error)) from error


def _sync_each_write(connection: AbstractConnection, version: tuple[int, int]) -> None:
    """Have each write synced, where the server lets us; a newer one can be asked to wait instead.

    WAITAOF alone would do, but `appendfsync everysec` makes it take up to a second.
    """
    try:
        _ask(connection, "CONFIG", "SET", "appendfsync", "always")
    except ResponseError:
        if version < WAITAOF_VERSION:
            raise


def _ask(connection: AbstractConnection, *command: str) -> Any:  # noqa: ANN401 - any Redis reply
    connection.send_command(*command)
    return connection.read_response()


def _settings(connection: AbstractConnection) -> dict[str, Any]:
    text = str(_ask(connection, "INFO"))
    info: dict[str, Any] = dict(
        line.partition(":")[::2] for line in text.splitlines() if ":" in line
    )
    major, minor = str(info["redis_version"]).split(".")[:2]
    info["version"] = (int(major), int(minor))
    try:
        reply = _ask(connection, "CONFIG", "GET", "appendfsync")
    except ResponseError:
        return info
    info.update(reply if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True))
    return info


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
