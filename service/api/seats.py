"""What is answered to those for whom no seat is left: long answers hold a thread each."""

from flask import Response

from service.problems import problem

RETRY_AFTER_SECONDS = "10"


def full() -> Response:
    """As many read at length as may."""
    return problem(
        503,
        "As many follow runs here as may at once. Ask for the run and its log now and then "
        "instead, or come back later.",
        **{"Retry-After": RETRY_AFTER_SECONDS},
    )
