"""Long answers hold a thread each: their seats, and what is said when none is left."""

from flask import Response

from service.problems import problem
from service.web import Web
from service.wire import Wire

RETRY_AFTER_SECONDS = "10"


def full() -> Response:
    """As many read at length as may."""
    return problem(
        503,
        "As many follow runs here as may at once. Ask for the run and its log now and then "
        "instead, or come back later.",
        **{"Retry-After": RETRY_AFTER_SECONDS},
    )


def seated(web: Web, seat: object, wire: Wire, response: Response) -> Response:
    """The same response: it gives its seat back at its end, and a stuck client ends it."""
    wire.limit()

    @response.call_on_close
    def leave() -> None:
        web.followers.leave(seat)
        wire.limit(0)

    return response
