"""Flask behind the loop: each request has a thread once it has come whole, and no longer."""

import io
import sys
from asyncio import create_task
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from a2wsgi import WSGIMiddleware

from service import followers
from service.api.events import FOLLOW
from service.api.feed import Place
from service.entrance.descriptors import THREADS, most_followers
from service.entrance.exchange import Exchange, Message
from service.web import TOLD

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

MOST_BYTES = 256 * 1024
"""Of a body: no view takes more, so Flask refuses what is longer at once, without it."""
_OURS = "slipway.exchange"


class Followed(NamedTuple):
    """Whom Flask has let follow a run, and from where."""

    run_id: str
    place: Place


class Threads:
    """Serves requests by a WSGI application, so many at once."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self._middleware = WSGIMiddleware(self._wsgi, workers=THREADS)  # type: ignore[arg-type]

    async def serve(self, exchange: Exchange) -> Followed | None:
        """Serve a request; who may follow a run has the head of the answer, and no thread."""
        call = _Call(exchange, await exchange.body(MOST_BYTES))
        scope = exchange.scope
        headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
        # Where it is not ASCII, the bridge would fail.
        query = quote_from_bytes(scope["query_string"], safe=bytes(range(0x21, 0x7F))).encode()
        ours = {**scope, "headers": headers, "query_string": query, _OURS: call}
        watch = create_task(exchange.left())
        try:
            await self._middleware(ours, exchange.left, call.send)  # type: ignore[arg-type]
        finally:
            watch.cancel()
        if call.error:
            raise call.error
        return call.followed

    def _wsgi(self, environ: dict[str, Any], start: "StartResponse") -> Iterator[bytes]:
        """The application, in its thread: it ends where nobody listens any more."""
        call: _Call = environ["asgi.scope"][_OURS]
        # What the bridge makes of SCRIPT_NAME in the environment is not ours.
        environ["SCRIPT_NAME"] = ""
        environ["PATH_INFO"] = unquote_to_bytes(call.exchange.scope["raw_path"]).decode("latin-1")
        environ["wsgi.errors"] = sys.stderr
        environ["wsgi.input"] = io.BytesIO(call.body)
        environ["wsgi.input_terminated"] = call.exchange.chunked
        environ[FOLLOW] = call.follow
        parts: Iterable[bytes] = self._app(environ, start)
        call.exchange.told = TOLD in environ
        try:
            for part in parts:
                if call.exchange.gone:
                    return
                yield part
        finally:
            getattr(parts, "close", lambda: None)()


class _Call:
    """What one request has of the loop, and what its thread leaves there."""

    def __init__(self, exchange: Exchange, body: bytes) -> None:
        self.exchange = exchange
        self.body = body
        self.followed: Followed | None = None
        self.error: Exception | None = None

    def follow(self, run_id: str, place: Place) -> bool:
        """Have the loop go on with a follower; False where there are too many."""
        if followers.count() < most_followers():
            self.followed = Followed(run_id, place)
        return self.followed is not None

    async def send(self, message: Message) -> None:
        """Send a part of the answer. The bridge would wait for ever after an error here."""
        if self.followed:
            if message["type"] != "http.response.start":
                return
            kept = [
                (name, value) for name, value in message["headers"] if name != b"content-length"
            ]
            message = {**message, "headers": kept}
        if self.error:
            return
        try:
            await self.exchange.send(message)
        except Exception as error:  # noqa: BLE001 - raised again once the thread is free
            self.error = error
            self.exchange.gone = True
