"""Takes deliveries straight from their connections, in one thread that never waits for one.

No delivery needs a thread, so that whoever holds the threads (followers of a log, readers of a
slow page, clients that stopped sending) can't keep a delivery out. What else comes over a
connection is handed over to gunicorn's threads, together with the bytes that have been read.
"""

import socket
from functools import partial
from selectors import EVENT_READ, BaseSelector
from time import monotonic
from typing import Any, Protocol

import structlog

from service import health_answers, plain
from service.answer import Answer, refused
from service.aside import Aside
from service.health_answers import HEALTHY, Probe, readiness
from service.plain import Head, PeculiarError
from service.web import Web
from service.webhooks.delivery import (
    FIRST_QUEUE,
    UNSIGNED,
    Delivery,
    accepted,
    delivered,
    forget,
    parse,
    tell,
    unavailable,
)
from service.webhooks.events import Deleted
from service.webhooks.signature import verify
from service.wire import REQUEST_SECONDS
from workers.ledger import Accepted
from workers.ledger.intake import Intake
from workers.ledger.model.order import Order
from workers.ledger.model.stages import stages_of

READ_BYTES = 64 * 1024
STOPPING_SECONDS = 2.0

requests = structlog.get_logger("gunicorn.access")
log = structlog.get_logger()


class Connection(Protocol):
    """What the door knows of gunicorn's connection."""

    sock: socket.socket
    client: Any


class Visit:
    """One connection, while it is at the door."""

    def __init__(self, connection: Connection, until: float) -> None:
        self.connection = connection
        self.until = until
        self.came = bytearray()
        self.head: Head | None = None
        self.began = 0.0
        self.answering = False
        self.heard = True
        self.ended = False

    def take(self) -> Delivery | Probe | None:
        """The delivery, or the question about our health, that has come whole.

        Raises:
            PeculiarError: what has come is not for the door.
        """
        if self.head is None and not plain.concerns(self.came):
            return self._take_other()
        if self.head is None:
            self.head = plain.head(self.came)
        head = self.head
        if head is None or len(self.came) < head.size:
            return None
        body = bytes(memoryview(self.came)[head.start : head.size])
        del self.came[: head.size]
        return delivered(body, head.fields.get)

    def _take_other(self) -> Probe | None:
        if plain.unfinished(self.came):
            return None
        found = health_answers.asked(self.came)
        if found is None:
            raise PeculiarError("no delivery")
        probe, self.head = found
        del self.came[: self.head.size]
        return probe


class House(Protocol):
    """What stands behind the door: gunicorn's worker."""

    poller: BaseSelector

    def hand_over(self, connection: Any, came: bytes) -> None:  # noqa: ANN401 - gunicorn's
        """Serve a connection, of which so much has been read, by a thread."""

    def closed(self, connection: Any) -> None:  # noqa: ANN401 - gunicorn's
        """Close a connection."""

    def left(self, connection: Any) -> None:  # noqa: ANN401 - gunicorn's
        """Close a connection once its client has read its answer."""


class Door:
    """The deliveries of one process; a connection may be silent for `idle_seconds`."""

    def __init__(self, web: Web, intake: Intake, house: House, idle_seconds: float) -> None:
        self._web = web
        self._intake = intake
        self._house = house
        self._selector = house.poller
        self._idle_seconds = idle_seconds
        self._visits: set[Visit] = set()
        self._deleted = Aside("deleted", partial(forget, web.ledger))
        self._stopping = False

    def meet(self, connection: Connection) -> None:
        """Listen to a connection that is new, or comes back from the threads."""
        visit = Visit(connection, monotonic() + self._idle_seconds)
        self._visits.add(visit)
        self._selector.register(connection.sock, EVENT_READ, partial(self._hear, visit))

    def tidy(self, *, stopping: bool) -> None:
        """Close connections that have been silent, or have not come to an end, for too long."""
        now = monotonic()
        if stopping and not self._stopping:
            self._stopping = True
            for visit in self._visits:
                visit.until = min(visit.until, now + STOPPING_SECONDS)
        for visit in [v for v in self._visits if v.until < now and not v.answering]:
            if visit.came:
                visit.head = None
                self._answer(visit, refused(408, "The request did not come to its end."))
            else:
                self._close(visit)

    def _hear(self, visit: Visit, _: object) -> None:
        """Something has come, or the end."""
        try:
            more = visit.connection.sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            more = b""
        if not more:
            self._end(visit)
            return
        if not visit.came:
            visit.began = monotonic()
            visit.until = visit.began + REQUEST_SECONDS
        visit.came += more
        if visit.answering:
            # It sends ahead: enough for now.
            self._listen(visit, on=False)
        else:
            self._look(visit)

    def _end(self, visit: Visit) -> None:
        """A client says no more, and may still listen."""
        visit.ended = True
        if visit.answering:
            self._listen(visit, on=False)
        elif visit.came:
            self._answer(visit, refused(400, "The request did not come to its end."))
        else:
            self._close(visit)

    def _look(self, visit: Visit) -> None:
        """Take what has come whole; what is not for the door goes to the threads."""
        while visit.came and not visit.answering and visit in self._visits:
            try:
                delivery = visit.take()
            except PeculiarError:
                self._part(visit)
                return
            if delivery is None:
                return
            if isinstance(delivery, Probe):
                self._probe(visit, delivery)
            else:
                self._take(visit, delivery)

    def _probe(self, visit: Visit, probe: Probe) -> None:
        visit.answering = True
        if probe.name == "healthz":
            self._answer(visit, HEALTHY, path="/healthz")
        else:
            self._intake.probe(partial(self._probed, visit))

    def _probed(self, visit: Visit, error: Exception | None) -> None:
        self._answer(visit, readiness(error), path="/readyz")
        self._look(visit)

    def _take(self, visit: Visit, delivery: Delivery) -> None:
        visit.answering = True
        try:
            wanted = self._read(delivery)
        except Exception:
            log.exception("door_broke", delivery=delivery.id)
            wanted = refused(500, "Slipway failed to read this delivery; see its log.")
        if isinstance(wanted, Answer):
            self._answer(visit, wanted)
            return
        then = partial(self._taken, visit, delivery)
        stages = stages_of(wanted)
        self._intake.accept(wanted, delivery.id, stages, FIRST_QUEUE, then)

    def _read(self, delivery: Delivery) -> Order | Answer:
        if not verify(self._web.webhook_secrets, delivery.body, delivery.signature):
            return UNSIGNED
        return parse(delivery, self._web.operator, self._gone)

    def _gone(self, found: Deleted) -> None:
        """Beside all else: no delivery waits for it, and few are asked to remember it at once."""
        if not self._deleted.add(found):
            log.warning("deletion_not_noted", branch=found.branch, error="too many at once")

    def _taken(self, visit: Visit, delivery: Delivery, taken: Accepted | Exception) -> None:
        if isinstance(taken, Accepted):
            self._answer(visit, accepted(taken, self._web.url))
            tell(delivery, taken)
        else:
            self._answer(visit, unavailable(taken))
        self._look(visit)

    def _answer(self, visit: Visit, answer: Answer, path: str = plain.PATH) -> None:
        """Send an answer; it fits into an empty send buffer, or nobody reads there."""
        head, visit.head, visit.answering = visit.head, None, False
        if not answer.told:
            self._log(visit, answer, path)
        if visit not in self._visits:
            return
        stays = head is not None and head.stays and not (visit.ended or self._stopping)
        minor = head.minor if head else 1
        text = plain.written(answer, minor=minor, stays=stays)
        try:
            whole = visit.connection.sock.send(text) == len(text)
        except OSError:
            whole = False
        if not whole:
            self._close(visit)
            return
        if not stays:
            self._leave(visit)
            return
        visit.began = monotonic()
        visit.until = visit.began + (REQUEST_SECONDS if visit.came else self._idle_seconds)
        self._listen(visit, on=True)

    def _log(self, visit: Visit, answer: Answer, path: str) -> None:
        client = visit.connection.client
        requests.info(
            "request",
            method="POST" if path == plain.PATH else "GET",
            path=path,
            status=answer.status,
            milliseconds=int((monotonic() - visit.began) * 1000),
            client=client[0] if isinstance(client, tuple) else str(client),
        )

    def _listen(self, visit: Visit, *, on: bool) -> None:
        if on and not visit.heard:
            hear = partial(self._hear, visit)
            self._selector.register(visit.connection.sock, EVENT_READ, hear)
        elif visit.heard and not on:
            self._selector.unregister(visit.connection.sock)
        visit.heard = on

    def _part(self, visit: Visit) -> None:
        """Another one serves this connection from here on."""
        self._forget(visit)
        self._house.hand_over(visit.connection, bytes(visit.came))

    def _leave(self, visit: Visit) -> None:
        """The client may still be sending when it gets its last answer."""
        self._forget(visit)
        self._house.left(visit.connection)

    def _close(self, visit: Visit) -> None:
        self._forget(visit)
        self._house.closed(visit.connection)

    def _forget(self, visit: Visit) -> None:
        self._listen(visit, on=False)
        self._visits.discard(visit)
