"""The whole log of a run that said more than the ledger keeps: out of S3, through a worker.

The web process can't reach S3. It asks for the parts piece by piece, as its reader takes them.
"""

from collections.abc import Iterator
from time import monotonic, sleep
from uuid import uuid4

from flask import Response, request

from service.api.seats import full, seated
from service.problems import problem
from service.web import Web
from service.wire import Wire
from workers.ledger import messages
from workers.ledger.parts import GONE, PIECE_BYTES, Part
from workers.ledger.unpacking import unpacked

PIECE_SECONDS = 5.0
LOOK_SECONDS = 0.02
KIND = "text/plain; charset=utf-8"


class PieceError(Exception):
    """A piece that no worker could bring, and why."""


class Whole:
    """One reader's way through the parts; the next piece is asked for before it is needed."""

    def __init__(self, web: Web, run_id: str, parts: list[Part]) -> None:
        self._web = web
        self._run_id = run_id
        mark = uuid4()
        self._wants = [
            f"{mark}/{part.name}/{start}"
            for part in parts
            for start in range(0, part.size, PIECE_BYTES)
        ]
        self._at = 0
        self._ask(0)

    def _ask(self, at: int) -> None:
        if at < len(self._wants):
            ledger = self._web.ledger
            ledger.parts.want(self._run_id, self._wants[at])
            ledger.ring(messages.BRING, self._run_id, messages.REPORTS_ON)

    def next(self) -> bytes:
        """The next piece; none after the last.

        Raises:
            PieceError: nobody brings it.
        """
        if self._at == len(self._wants):
            return b""
        want = self._wants[self._at]
        self._at += 1
        self._ask(self._at)
        deadline = monotonic() + PIECE_SECONDS
        while (piece := self._web.ledger.parts.take(self._run_id, want)) is None:
            if monotonic() > deadline:
                raise PieceError("no worker has brought it")
            sleep(LOOK_SECONDS)
        if piece.fault:
            raise PieceError(piece.fault)
        return piece.data


def answer(web: Web, run_id: str, parts: list[Part]) -> Response | None:
    """The whole log as it comes; None when somebody has deleted it."""
    if request.method == "HEAD":
        return Response(content_type=KIND)
    seat = web.followers.sit()
    if seat is None:
        return full()
    whole = Whole(web, run_id, parts)
    try:
        first = whole.next()
    except PieceError as error:
        web.followers.leave(seat)
        if str(error) == GONE:
            return None
        why = f"The whole log could not be brought from S3: {error}. Ask again."
        return problem(503, why, **{"Retry-After": "5"})
    except BaseException:
        web.followers.leave(seat)
        raise
    response = Response(unpacked(_pieces(first, whole)), content_type=KIND)
    return seated(web, seat, Wire(request.environ), response)


def _pieces(first: bytes, whole: Whole) -> Iterator[bytes]:
    piece = first
    while piece:
        yield piece
        piece = whole.next()
