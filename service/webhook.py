"""POST /webhooks/github: cap the size, verify, parse, accept, answer."""

from urllib.parse import parse_qs

import structlog
from flask import Blueprint, Response, abort, current_app, jsonify, request
from redis.exceptions import RedisError

from service.body import whole
from service.events import Ignored, UnreadableError, read
from service.problems import problem
from service.signature import verify
from service.web import TOLD, Web
from workers.ledger import NotDurableError
from workers.order import Order
from workers.stages import STAGES, stages_of

MOST_BYTES = 25 * 1024 * 1024
LONGEST_DELIVERY = 100

blueprint = Blueprint("webhook", __name__)
log = structlog.get_logger()


@blueprint.post("/webhooks/github")
def github() -> Response:
    """Take a delivery of GitHub's: 202 with its run, or 200 with the reason why there is none."""
    web: Web = current_app.extensions["slipway"]
    # The limit is GitHub's own for a payload.
    body = whole(MOST_BYTES, "25 MB")
    if not verify(web.webhook_secrets, body, request.headers.get("X-Hub-Signature-256")):
        abort(401, "X-Hub-Signature-256 is missing or is not this body's signature.")
    delivery = request.headers.get("X-GitHub-Delivery", "")
    if len(delivery) > LONGEST_DELIVERY:
        abort(400, "X-GitHub-Delivery is too long.")
    wanted = read(request.headers.get("X-GitHub-Event", ""), _payload(body), web.operator)
    if isinstance(wanted, Ignored):
        return jsonify(ignored=wanted.why)
    return _accept(web, wanted, delivery)


def _payload(body: bytes) -> bytes:
    kind = request.mimetype
    if kind == "application/json":
        return body
    if kind != "application/x-www-form-urlencoded":
        raise UnreadableError(f"content type {kind[:60]!r}; choose application/json at GitHub")
    fields = parse_qs(body, keep_blank_values=True, max_num_fields=10)
    payload = fields.get(b"payload", [])
    if len(payload) != 1:
        raise UnreadableError("a form-encoded delivery has one field, payload")
    return payload[0]


def _accept(web: Web, order: Order, delivery: str) -> Response:
    accepted = web.ledger.accept(order, delivery, stages_of(order), STAGES[0].queue)
    run_id = accepted.run_id
    request.environ[TOLD] = True
    log.info("delivery", run=run_id, delivery=delivery, fresh=accepted.fresh)
    answer = {
        "run_id": run_id,
        "task_id": run_id,
        "status_url": f"{web.url}/api/v1/runs/{run_id}",
    }
    if not accepted.fresh:
        return jsonify(ignored="this commit already has a run for this purpose", **answer)
    response = jsonify(answer)
    response.status_code = 202
    return response


@blueprint.errorhandler(UnreadableError)
def _unreadable(error: UnreadableError) -> Response:
    return problem(400, f"The payload can't be read: {error}")


@blueprint.errorhandler(RedisError)
@blueprint.errorhandler(NotDurableError)
def _unavailable(error: Exception) -> Response:
    log.warning("ledger_unavailable", error=str(error))
    return problem(503, "The ledger can't take it now; deliver it again.", **{"Retry-After": "5"})
