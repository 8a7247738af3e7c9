"""The ledger for an event loop: orders are taken on, and news is waited for, as coroutines.

Each order that is under way has a connection of its own, so that one WAITAOF speaks of its write
alone. A command that takes too long takes its connection with it, or its reply would come to the
next one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import uniform
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from workers.ledger import accept as accepting
from workers.ledger.accept import Accepted
from workers.ledger.connection import (
    HASTY_SECONDS,
    PATIENT_SECONDS,
    LedgerError,
    proof,
    tell,
)
from workers.ledger.failover import passes
from workers.ledger.model.order import Order
from workers.ledger.scripts import Command, command, whole
from workers.ledger.watch import WAIT_SECONDS, News, Watch

MOST_AT_ONCE = 16
"""Connections for orders; who comes when all are under way waits for one, within its time."""
MOST_WAITING = 64
"""The same where each waits for the server's next sync, up to a second."""


class AsyncLedger:
    """Made in the event loop that uses it, and closed there."""

    def __init__(self, url: str) -> None:
        common: dict[str, Any] = {
            "decode_responses": True,
            "socket_keepalive": True,
            "retry": Retry(NoBackoff(), 0),
            "redis_connect_func": self._connect,
            # Where they are on, the pool takes a connection's end for news of that kind.
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        }
        # No timer for each command: there is one around all of them.
        self._pool = ConnectionPool.from_url(
            url, socket_timeout=None, socket_connect_timeout=HASTY_SECONDS, **common
        )
        self._listening: Any = Redis.from_url(
            url, socket_timeout=PATIENT_SECONDS, socket_connect_timeout=PATIENT_SECONDS, **common
        )
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._waitaof = False

    async def accept(
        self, order: Order, delivery: str, stages: tuple[str, ...], first_queue: str
    ) -> Accepted:
        """Take an order on, as Ledger.accept does.

        Raises:
            RedisError: Redis is out of reach, slow, or takes no write.
            NotDurableError: the record may not survive a power cut.
        """
        wanted = accepting.arguments(order, delivery, stages, first_queue)
        return Accepted.of(await self._durably(command("accept", wanted), "accept"))

    async def probe(self) -> None:
        """Try a write, as Ledger.probe does."""
        await self._durably(accepting.PROBE)

    async def news(self, watch: Watch) -> News:
        """What is new about a run, at once if there is something, else within a second."""
        # Not all of them at the same moment, for ever after the first bell that they all heard.
        seconds = uniform(WAIT_SECONDS / 2, WAIT_SECONDS)  # noqa: S311 - no secret
        return watch.heard(await self._listening.xread(**watch.waits(seconds)))

    async def rest(self, watch: Watch) -> News:
        """The next entries of a log that nobody adds to any more; none at its end."""
        return watch.heard(await self._listening.xread(**watch.reads()))

    async def close(self) -> None:
        """Close every connection."""
        with suppress(RedisError, OSError):
            await self._pool.aclose()
            await self._listening.aclose()

    async def _durably(self, wanted: Command, script: str = "") -> Any:  # noqa: ANN401 - any reply
        """The reply to a command, once what it wrote is on disk."""
        try:
            async with asyncio.timeout(HASTY_SECONDS) as until, self._room, self._line() as line:
                if self._waitaof:
                    until.reschedule((until.when() or 0) + accepting.WAITAOF_SECONDS)
                return await self._written(line, wanted, script)
        except TimeoutError:
            raise RedisTimeoutError("Redis is slow or out of reach") from None

    async def _written(self, line: AbstractConnection, wanted: Command, script: str) -> Any:  # noqa: ANN401
        sent = [wanted, accepting.WAITAOF] if self._waitaof else [wanted]
        await line.send_packed_command(line.pack_commands(sent))
        replies = [await _read(line) for _ in sent]
        if script and isinstance(replies[0], NoScriptError):
            return await self._written(line, whole(wanted, script), "")
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        if self._waitaof:
            accepting.confirm(replies[-1])
        return replies[0]

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[AbstractConnection]:
        """A connection; one that does not end well is closed."""
        line = await self._pool.get_connection()
        try:
            yield line
        except BaseException as error:
            # Whatever passes on another server may not pass on this one.
            if not isinstance(error, ResponseError) or passes(error):
                await line.disconnect(nowait=True)
            raise
        finally:
            await self._pool.release(line)

    async def _connect(self, connection: AbstractConnection) -> None:
        """Open a connection; a Redis that could lose data is as good as none."""
        await connection.on_connect()
        steps = proof()
        try:
            asked = next(steps)
            while True:
                await connection.send_command(*asked)
                asked = tell(steps, await _read(connection))
        except StopIteration as end:
            self._learn(waitaof=bool(end.value))
        except (LedgerError, ResponseError) as error:
            await connection.disconnect(nowait=True)
            raise RedisConnectionError(str(error)) from error

    def _learn(self, *, waitaof: bool) -> None:
        if waitaof and not self._waitaof:
            for _ in range(MOST_AT_ONCE, MOST_WAITING):
                self._room.release()
        # Once for all: a server that has been another's may be so again.
        self._waitaof = self._waitaof or waitaof


async def _read(connection: AbstractConnection) -> Any:  # noqa: ANN401 - any Redis reply
    """A reply; an error of Redis's as a value, for others may follow it."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
