"""A request and its answer, as ASGI has them: what comes is bounded in bytes and in time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from time import monotonic
from typing import Any

from service.answer import Answer, refused

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_SECONDS = 30.0
SPARE_SECONDS = 10.0
SILENT_SECONDS = 2.0
SPARE_BYTES = 64 * 1024 * 1024
"""What still comes of a body that nobody wants is taken for so long, and so much of it."""
LATE = refused(408, "The request did not come to its end.")


class Gone(Exception):  # noqa: N818 - no error: the client has left
    """Nobody waits for an answer any more."""


class Exchange:
    """One request; `path` is that of an address of ours."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        self.scope = scope
        self.path = path
        self.method: str = scope["method"]
        self.headers = fields(scope["headers"])
        self.began = monotonic()
        self.status = 0
        self.told = False
        self.gone = False
        self.length = self.headers.get("content-length")
        self.chunked = "transfer-encoding" in self.headers
        self._receive = receive
        self._send = send
        self._whole = not self.chunked and self.length in (None, "0")

    async def body(self, most: int) -> bytes:
        """The body, or of one that is longer than `most` no more than shows that.

        Raises:
            Gone: the client has left.
            TimeoutError: it has not come whole in its time.
        """
        if self._whole or (self.length is not None and int(self.length) > most):
            return b""
        found = bytearray()
        async with asyncio.timeout(BODY_SECONDS):
            while not self._whole and len(found) <= most:
                found += await self._more()
        return bytes(found)

    async def _more(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self.gone = True
            raise Gone
        self._whole = not message.get("more_body")
        part: bytes = message.get("body", b"")
        return part

    async def left(self) -> None:
        """Wait until the client leaves, or has its answer; `gone` says so."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True

    async def send(self, message: Message) -> None:
        """Send a part of the answer; before its end, see a client off that is still sending."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if not self._whole:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        elif not message.get("more_body") and not self._whole:
            await self._send({**message, "more_body": True})
            await self._discard()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def answer(self, answer: Answer) -> None:
        """Send a whole answer."""
        self.told = answer.told
        text = answer.text.encode()
        headers = [
            (b"content-type", answer.kind.encode()),
            (b"content-length", str(len(text)).encode()),
            *((name.lower().encode(), value.encode()) for name, value in answer.headers.items()),
        ]
        await self.send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )
        await self.send({"type": "http.response.body", "body": text})

    async def _discard(self) -> None:
        """Take what still comes, for a while: a socket that is closed amid it is reset.

        Source: RFC 9112, section 9.6.
        """
        left = SPARE_BYTES
        try:
            async with asyncio.timeout(SPARE_SECONDS):
                while not self._whole and left > 0:
                    async with asyncio.timeout(SILENT_SECONDS):
                        left -= len(await self._more())
        except (TimeoutError, Gone):
            return


def fields(headers: list[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Header fields by their names, as WSGI has them: one that comes twice is joined.

    Names with `_` are left out: WSGI can't tell them from those with `-`.
    """
    found: dict[str, str] = {}
    for raw, value in headers:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        if "_" not in name:
            found[name] = f"{found[name]},{text}" if name in found else text
    return found
