"""Orders taken on without waiting for any of them: one connection, many under way at once.

Redis syncs its file once for all that arrives together, so that many deliveries share one write
to disk. Everything here happens in the thread that turns the selector's events, but for the making
of a connection, which may block.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from selectors import BaseSelector
from threading import Thread
from time import monotonic
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from workers.ledger.accept import (
    PROBE,
    WAITAOF,
    WAITAOF_SECONDS,
    Accepted,
    NotDurableError,
    arguments,
    confirm,
)
from workers.ledger.channel import Channel
from workers.ledger.connection import HASTY_SECONDS, needs_waitaof
from workers.ledger.failover import passes
from workers.ledger.model.order import Order
from workers.ledger.scripts import Command, command, source

MOST_UNDER_WAY = 64
IDLE_SECONDS = 15.0

Then = Callable[[Accepted | Exception], None]
Defer = Callable[[Callable[[], None]], None]


@dataclass(slots=True)
class Asked:
    """One command, who hears its reply, and until when (monotonic seconds) that makes sense."""

    command: Command
    until: float
    then: Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Line:
    """A connection that is ready, and what was learnt while it was made."""

    channel: Channel
    script: str
    waitaof: bool


class Intake:
    """Accepts orders for one event loop; every call of it returns at once.

    `selector` calls the data of a key with its file object; `defer` has something called in the
    selector's thread.
    """

    def __init__(self, redis: Redis, selector: BaseSelector, defer: Defer) -> None:
        self._redis: Any = redis
        self._selector = selector
        self._defer = defer
        self._waiting: deque[Asked] = deque()
        self._sent: deque[Asked] = deque()
        self._line: Line | None = None
        self._connecting = False
        self._began = 0.0
        self._heard = 0.0

    @property
    def busy(self) -> bool:
        """Whether anybody waits for an answer."""
        return bool(self._waiting or self._sent)

    def accept(
        self, order: Order, delivery: str, stages: tuple[str, ...], queue: str, then: Then
    ) -> None:
        """Take an order on; `then` hears of it, or of the RedisError or NotDurableError."""
        asked = command("accept", arguments(order, delivery, stages, queue))
        hear = partial(_accepted, then)
        self._waiting.append(Asked(asked, monotonic() + HASTY_SECONDS, hear))

    def probe(self, then: Callable[[Exception | None], None]) -> None:
        """Try a write; `then` hears None, or why no order could be taken on."""
        hear = partial(_probed, then)
        self._waiting.append(Asked(PROBE, monotonic() + HASTY_SECONDS, hear))

    def connect(self) -> None:
        """Have a connection made, beside all else."""
        if self._line is None and not self._connecting:
            self._connecting = True
            self._began = monotonic()
            Thread(target=self._make, name="intake", daemon=True).start()

    def send(self) -> None:
        """Send what has come since the last call."""
        if not self._waiting:
            return
        if self._line is None:
            self.connect()
            return
        room = min(len(self._waiting), MOST_UNDER_WAY - len(self._sent))
        if room > 0:
            self._send([self._waiting.popleft() for _ in range(room)])

    def tidy(self) -> None:
        """Give up what took too long; see whether an idle connection still is one."""
        now = monotonic()
        if self._sent and self._sent[0].until < now:
            self._drop(RedisTimeoutError(f"Redis did not answer within {HASTY_SECONDS} seconds"))
        while self._waiting and self._waiting[0].until < now:
            self._waiting.popleft().then(RedisTimeoutError("Redis is slow or out of reach"))
        if self._line and not self._sent and now - self._heard > IDLE_SECONDS:
            self._send([Asked(("PING",), now + HASTY_SECONDS, _nobody)])

    def _send(self, asked: list[Asked]) -> None:
        line = self._line
        assert line  # noqa: S101 - whoever calls has looked
        if line.waitaof:
            asked = _synced(asked)
        self._sent.extend(asked)
        try:
            line.channel.send([_whole(one.command, line.script) for one in asked])
        except RedisError as error:
            self._drop(error)

    def _hear(self, _: object) -> None:
        """The connection has something: replies, or its end."""
        line = self._line
        try:
            for reply in line.channel.turn() if line else ():
                if isinstance(reply, ResponseError) and str(reply).startswith("NOSCRIPT"):
                    self._drop(reply, again=True)
                    return
                if isinstance(reply, ResponseError) and passes(reply):
                    # Another connection may lead to the new primary.
                    self._drop(reply)
                    return
                self._heard = monotonic()
                self._sent.popleft().then(reply)
        except RedisError as error:
            self._drop(error)

    def _drop(self, error: Exception, *, again: bool = False) -> None:
        """Be done with the connection: what it was asked fails, or is asked `again` over a new one.

        A script that is asked for again does no harm, for it knows its delivery.
        """
        line, self._line = self._line, None
        if line:
            line.channel.close()
        lost, self._sent = self._sent, deque()
        if again:
            self._waiting.extendleft(one for one in reversed(lost) if one.then is not _nobody)
            return
        for one in lost:
            one.then(error)

    def _make(self) -> None:
        """In a thread of its own: a ready connection, or what is wrong."""
        made: Line | Exception
        try:
            waitaof = needs_waitaof(self._redis)
            channel = Channel(self._redis)
            made = Line(channel, channel.ask("SCRIPT", "LOAD", source("accept")), waitaof)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            made = error
        self._defer(partial(self._made, made))

    def _made(self, made: Line | Exception) -> None:
        self._connecting = False
        if isinstance(made, Exception):
            # Who came after the attempt had begun gets one of their own.
            while self._waiting and self._waiting[0].until <= self._began + HASTY_SECONDS:
                self._waiting.popleft().then(made)
            self.send()
            return
        self._line, self._heard = made, monotonic()
        made.channel.listen(self._selector, self._hear)
        self.send()


def _whole(command: Command, script: str) -> Command:
    return (command[0], script, *command[2:]) if command[0] == "EVALSHA" else command


def _accepted(then: Then, reply: Any) -> None:  # noqa: ANN401 - any Redis reply
    then(reply if isinstance(reply, Exception) else Accepted.of(reply))


def _probed(then: Callable[[Exception | None], None], reply: object) -> None:
    then(reply if isinstance(reply, Exception) else None)


def _nobody(_: object) -> None:
    """Hear a reply that only shows that the connection lives."""


def _synced(asked: list[Asked]) -> list[Asked]:
    """The same, with one WAITAOF behind all of them: only its reply makes theirs good."""
    replies: list[Any] = []

    def hear(synced: Any) -> None:  # noqa: ANN401 - any Redis reply
        error: Exception | None = synced if isinstance(synced, Exception) else None
        try:
            confirm(None if error else synced)
        except NotDurableError as missing:
            error = error or missing
        for index, one in enumerate(asked):
            own = replies[index] if index < len(replies) else error
            one.then(own if isinstance(own, Exception) else error or own)

    until = max(one.until for one in asked) + WAITAOF_SECONDS
    kept = [Asked(one.command, until, replies.append) for one in asked]
    return [*kept, Asked(WAITAOF, until, hear)]
