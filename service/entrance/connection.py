"""A connection: uvicorn's, with a time for each head, for each write, and a bound for their number.

An ASGI application is called once a head has come, so what comes before is bounded here.
"""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service import followers
from service.answer import refused
from service.entrance.descriptors import crowded

HEAD_SECONDS = 10.0
"""How long a head may take to come; GitHub itself gives up after that time."""
IDLE_SECONDS = 5.0
STUCK_SECONDS = 5.0
"""After so long without a byte taken, whoever does not read its answer is cut off."""
LINGER_SECONDS = 2.0
STOPPING_SECONDS = 2.0
"""What has begun to come when the process is asked to end has so long to come whole."""
MOST_HEAD = 64 * 1024
CUT_OFF = "The request did not come to its end."


class Connection(HttpToolsProtocol):
    """One connection, until its end."""

    def __init__(self, *chosen: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*chosen, **named)
        # A later minor version is answered as our own (RFC 9112, section 2.3).
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True, lenient_version=True)
        self._head = 0
        self._clock: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._refused = False

    @property
    def _waits(self) -> bool:
        """Whether a request is yet to come."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, unless there are too many."""
        super().connection_made(transport)
        if crowded(len(self.connections)):
            transport.abort()
        else:
            self._time(IDLE_SECONDS, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Be done with it."""
        for timer in (self._clock, self._writing):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hear more of a request; what comes after the last answer is thrown away."""
        if self._refused:
            return
        if self._waits:
            if not self._head:
                self._time(HEAD_SECONDS, self.refuse, 408, CUT_OFF)
            self._head += len(data)
        super().data_received(data)
        if self._waits and self._head > MOST_HEAD:
            self.refuse(431, "The request's head is too long.")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Hear that no more comes: who has asked, and not been answered, may still listen."""
        if self._waits and not self._head:
            return False
        if self._waits or (self.cycle.more_body and not self.cycle.response_started):
            self.refuse(400, CUT_OFF)
        elif not self.cycle.response_started:
            self.cycle.keep_alive = False
        return not self._waits and not self.cycle.response_started

    def on_headers_complete(self) -> None:
        """Have the request served."""
        self._head = 0
        if self._clock:
            self._clock.cancel()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to read the last answer."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """Close what has been silent; also where nobody reads the last answer."""
        super().timeout_keep_alive_handler()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self.refuse(400, msg)

    def refuse(self, status: int, detail: str) -> None:
        """Answer with a problem, and see the client off: it may still be sending."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        problem = refused(status, detail)
        text = json.dumps(problem.body).encode()
        head = f"content-type: {problem.kind}\r\ncontent-length: {len(text)}\r\n"
        self.transport.write(
            STATUS_LINE[status] + head.encode() + b"connection: close\r\n\r\n" + text
        )
        if not self._waits:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._time(LINGER_SECONDS, self.transport.abort)

    def shutdown(self) -> None:
        """End soon: the process is asked to."""
        followers.stopping.set()
        super().shutdown()
        if not self._waits and self.cycle.more_body and not self.cycle.response_started:
            self._time(STOPPING_SECONDS, self.transport.abort)

    def pause_writing(self) -> None:
        """Hear that the client takes less than it is sent."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Hear that it has taken it."""
        super().resume_writing()
        if self._writing:
            self._writing.cancel()

    def _time(self, seconds: float, do: Any, *arguments: Any) -> None:  # noqa: ANN401
        if self._clock:
            self._clock.cancel()
        self._clock = self.loop.call_later(seconds, do, *arguments)

    def _watch(self, before: int | None = None) -> None:
        """See now and then that the client takes what it is sent; or close it at once."""
        left = self.transport.get_write_buffer_size()
        if before is not None and left >= before:
            self.transport.abort()
        elif left:
            if self._writing:
                self._writing.cancel()
            self._writing = self.loop.call_later(STUCK_SECONDS, self._watch, left)
