"""Gunicorn's threaded worker with Slipway's door before it, and its access log without doubles."""

import errno
from datetime import timedelta
from time import monotonic
from typing import Any

from gunicorn import http, util  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from service import followers, plain
from service.answer import refused
from service.descriptors import USED_UP, InHand, room
from service.door import Door
from service.lingering import Lingering
from service.web import TOLD, Web
from service.wire import InTime, limit_writes
from workers.ledger.intake import Intake

LOOK_SECONDS = 0.05
"""How often the loop looks at its clocks."""
DISCARDED_BYTES = 64 * 1024
"""How much of a body that nobody read gunicorn takes in before a connection's next request."""


def _write_error(sock: Any, status: int, reason: str, detail: str) -> None:  # noqa: ANN401
    answer = refused(status, detail or f"{reason}; the log says more.")
    util.write_nonblock(sock, plain.written(answer, minor=1, stays=False))


# Gunicorn has a page of HTML for what it can't read, and no setting for another.
util.write_error = _write_error


class DoorWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Its event loop takes the deliveries itself; its threads serve all else.

    `make bench` shows what that saves: a delivery that goes through gunicorn's parser, WSGI, Flask
    and a thread of its own costs several times as much.
    """

    door: Door | None = None
    intake: Intake
    lingering: Lingering
    in_hand: InHand
    worker_connections: int

    def handle_exit(self, sig: Any, frame: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Begin to stop: whoever follows a run is sent away, and comes back to another process."""
        followers.stopping.set()
        super().handle_exit(sig, frame)

    def run(self) -> None:
        """Serve until the end; without the door where Slipway is not the whole application."""
        web = getattr(self.wsgi, "extensions", {}).get("slipway")
        if isinstance(web, Web) and self._speaks_http():
            self.intake = Intake(web.ledger.redis, self.poller, self.method_queue.defer)
            self.intake.connect()
            self.lingering = Lingering(self.poller, self.closed)
            self.door = Door(web, self.intake, self, self.cfg.keepalive)
            self.in_hand = InHand()
            self.worker_connections = room(self.worker_connections, self.cfg.threads)
        super().run()

    def _speaks_http(self) -> bool:
        """Whether connections carry HTTP/1 from their first byte on."""
        chosen = self.cfg
        other = chosen.is_ssl or chosen.proxy_protocol != "off" or "h2" in chosen.http_protocols
        return chosen.protocol == "http" and not other

    def accept(self, listener: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Let a new connection in."""
        if self.door is None:
            super().accept(listener)
            return
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in USED_UP:
                self.in_hand.turn_away(listener)
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        self.door.meet(TConn(self.cfg, sock, client, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:  # noqa: ANN401
        """Listen to a connection that was kept after a thread had served it."""
        if self.door is None:
            super().on_client_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self.door.meet(conn)

    def hand_over(self, conn: Any, came: bytes) -> None:  # noqa: ANN401
        """Serve a connection, of which so much has been read, by a thread."""
        limit_writes(conn.sock)
        if conn.parser is None:
            conn.parser = http.get_parser(self.cfg, InTime(conn.sock), conn.client)
            conn.initialized = True
        conn.parser.unreader.unread(came)
        self.enqueue_req(conn)

    def enqueue_req(self, conn: Any) -> None:  # noqa: ANN401
        """Serve a connection's next request by a thread, if it comes in time."""
        if self.door is not None:
            conn.parser.unreader.sock.begin()
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401
        """Serve a request; one whose body may be left unread is its connection's last, and told.

        Source: RFC 9112, section 3.2: a request of HTTP/1.1 has one Host, or gets 400; section 2.3:
        a later minor version is answered as our own.
        """
        hosts = [value for name, value in req.headers if name == "HOST"]
        if len(hosts) != 1 and (hosts or req.version > (1, 0)):
            raise http.errors.InvalidHeader("Host, of which there must be one")
        req.version = min(req.version, (1, 1))
        if int(dict(req.headers).get("CONTENT-LENGTH", 0)) > DISCARDED_BYTES:
            req.must_close = True
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Any) -> None:  # noqa: ANN401
        """Take a connection back from a thread.

        Gunicorn itself closes the last ones here, in the loop, and waits up to two seconds for each
        client to do so too; it reads no more than 64 KB of what they still send.
        """
        done = fs.cancelled() or fs.exception() or not fs.result()
        if self.door is not None and done:
            self.left(conn)
        else:
            super().finish_request(conn, fs)

    def left(self, conn: Any) -> None:  # noqa: ANN401
        """Close a connection once its client has read its answer."""
        self.lingering.add(conn)

    def closed(self, conn: Any) -> None:  # noqa: ANN401
        """Close a connection."""
        self.nr_conns -= 1
        conn.close()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Turn until it is time to look at the clocks; send the ledger what each turn brought."""
        if self.door is None:
            super().wait_for_and_dispatch_events(timeout)
            return
        until = monotonic() + LOOK_SECONDS
        while True:
            soon = self.intake.busy or not self.alive
            super().wait_for_and_dispatch_events(min(timeout, LOOK_SECONDS) if soon else timeout)
            self.intake.send()
            if monotonic() > until or not self.alive:
                return

    def murder_pending(self) -> None:
        """Be done with what takes too long."""
        super().murder_pending()
        if self.door is not None:
            self.intake.tidy()
            self.door.tidy(stopping=not self.alive)
            self.lingering.tidy()


class AccessLog(Logger):  # type: ignore[misc] # gunicorn has no types
    """A line for each request, but for those that have written a better one themselves."""

    def access(
        self,
        resp: Any,  # noqa: ANN401 - gunicorn has no types
        req: Any,  # noqa: ANN401
        environ: dict[str, Any],
        request_time: timedelta,
    ) -> None:
        """Write the line, unless the log has one."""
        if TOLD not in environ:
            super().access(resp, req, environ, request_time)
