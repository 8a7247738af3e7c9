"""Gunicorn's threaded worker and access log, without what costs most of a delivery's answer."""

import select
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from service import followers
from service.web import TOLD

STAY_MILLISECONDS = 10


class StayingWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Its threads stay with a connection that goes on speaking.

    Handing it to the dispatcher and back costs as much as taking a delivery; `make bench` shows
    it. A thread gives its connection back as soon as another one waits for a thread.
    """

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn has no types
        """Answer a request, and those that follow it at once."""
        going_on = super().handle(conn)
        while going_on is True and self.alive and self._more(conn):
            going_on = super().handle(conn)
        return going_on

    def handle_exit(self, sig: Any, frame: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Begin to stop: whoever follows a run is sent away, and comes back to another process."""
        followers.stopping.set()
        super().handle_exit(sig, frame)

    def _more(self, conn: Any) -> bool:  # noqa: ANN401 - gunicorn has no types
        read_ahead = conn.is_http2 or conn.parser.unreader.buf.getvalue()
        if read_ahead or self.tpool._work_queue.qsize():  # noqa: SLF001 - a pool shows it nowhere else
            return False
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(STAY_MILLISECONDS))


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
