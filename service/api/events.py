"""GET /runs/<id>/events: a run's changes and its log as they come, as server-sent events."""

from flask import Blueprint, Response, request

from service.api.feed import Place, followed
from service.api.runs import log_is_here
from service.api.seats import full, seated
from service.problems import problem
from service.web import Web
from service.wire import Wire

blueprint = Blueprint("events", __name__)
FOLLOW = "slipway.follow"
"""In a request's environment: what takes a follower over from its thread, or says False."""
HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


@blueprint.get("/runs/<run_id>/events")
def follow(run_id: str) -> Response:
    """Follow a run, from `Last-Event-ID` or `?after=` (an event's id or a log's cursor) on."""
    web = Web.current()
    run = web.ledger.history.run(run_id)
    if run is None:
        return problem(404, f"There is no run {run_id[:50]}, or it is no longer kept.")
    place = Place.read(request.headers.get("Last-Event-ID") or request.args.get("after", ""))
    if place is None:
        return problem(400, "Last-Event-ID or after: expected an event's id or a log's cursor")
    if place.ended:
        # A browser's EventSource comes back after every end but this one (HTML, section 9.2.3).
        return Response(status=204)
    if run.state.final and not log_is_here(run_id):
        return problem(
            503, "The log is being brought back from S3; ask again.", **{"Retry-After": "2"}
        )
    return _stream(web, run_id, place)


def _stream(web: Web, run_id: str, place: Place) -> Response:
    if request.method == "HEAD":
        return Response(content_type="text/event-stream", headers=HEADERS)
    if FOLLOW in request.environ:
        if not request.environ[FOLLOW](run_id, place):
            return full()
        return Response(content_type="text/event-stream", headers=HEADERS)
    seat = web.followers.sit()
    if seat is None:
        return full()
    wire = Wire(request.environ)
    feed = followed(web, run_id, place, wire.gone)
    response = Response(feed, content_type="text/event-stream", headers=HEADERS)
    return seated(web, seat, wire, response)
