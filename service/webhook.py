"""POST /webhooks/github: cap the size, verify, parse, accept, answer.

`service/door.py` takes deliveries of the plainest shape by these steps, and never waits; all
others come to the view at the end. Either way the answers are the same.
"""

import json
from typing import NamedTuple

import structlog
from flask import Blueprint, Response, request
from redis.exceptions import RedisError

from service import events
from service.answer import Answer, refused
from service.body import form_field, whole
from service.events import Ignored, UnreadableError
from service.plain import PATH
from service.signature import verify
from service.web import TOLD, Web
from workers.ledger import Accepted, NotDurableError
from workers.order import Order
from workers.stages import STAGES, stages_of

MOST_BYTES = 25 * 1024 * 1024
LONGEST_DELIVERY = 100
FIRST_QUEUE = STAGES[0].queue

blueprint = Blueprint("webhook", __name__)
log = structlog.get_logger()


class Delivery(NamedTuple):
    """One POST, with the headers that matter."""

    body: bytes
    signature: str | None
    event: str
    id: str
    kind: str


def read(web: Web, delivery: Delivery) -> Order | Answer:
    """What a delivery asks for, or the answer to it if there is nothing to accept."""
    if not verify(web.webhook_secrets, delivery.body, delivery.signature):
        return refused(401, "X-Hub-Signature-256 is missing or is not this body's signature.")
    if len(delivery.id) > LONGEST_DELIVERY:
        return refused(400, "X-GitHub-Delivery is too long.")
    try:
        wanted = events.read(delivery.event, _payload(delivery), web.operator)
    except UnreadableError as error:
        return refused(400, f"The payload can't be read: {error}")
    return Answer(200, {"ignored": wanted.why}) if isinstance(wanted, Ignored) else wanted


def accepted(web: Web, taken: Accepted) -> Answer:
    """The answer to what the ledger has taken on, or had already."""
    run_id = taken.run_id
    status_url = f"{web.url}/api/v1/runs/{run_id}"
    ids = {"run_id": run_id, "task_id": run_id, "status_url": status_url}
    if taken.fresh:
        return Answer(202, ids, told=True)
    why = "this delivery, or its commit for this purpose, already has a run"
    return Answer(200, {"ignored": why, **ids}, told=True)


def tell(delivery: Delivery, taken: Accepted) -> None:
    """The log's line about a delivery that was taken."""
    log.info("delivery", run=taken.run_id, delivery=delivery.id, fresh=taken.fresh)


def unavailable(error: Exception) -> Answer:
    """The answer while the ledger can't take anything."""
    log.warning("ledger_unavailable", error=str(error))
    return refused(503, "The ledger can't take it now; deliver it again.", {"Retry-After": "5"})


def _payload(delivery: Delivery) -> bytes:
    kind = delivery.kind.partition(";")[0].strip().lower()
    if kind == "application/json":
        return delivery.body
    if kind != "application/x-www-form-urlencoded":
        raise UnreadableError(f"content type {kind[:60]!r}; choose application/json at GitHub")
    payload = form_field(delivery.body, b"payload")
    if payload is None:
        raise UnreadableError("a form-encoded delivery has one field, payload")
    return payload


@blueprint.post(PATH)
def github() -> Response:
    """Take a delivery: 202 with its run, or 200 with the reason why there is none."""
    web = Web.current()
    answer = _taken(web, _delivery())
    if answer.told:
        request.environ[TOLD] = True
    return Response(
        json.dumps(answer.body), answer.status, answer.headers, content_type=answer.kind
    )


def _delivery() -> Delivery:
    headers = request.headers
    return Delivery(
        # The limit is GitHub's own for a payload.
        body=whole(MOST_BYTES, "25 MB"),
        signature=headers.get("X-Hub-Signature-256"),
        event=headers.get("X-GitHub-Event", ""),
        id=headers.get("X-GitHub-Delivery", ""),
        kind=headers.get("Content-Type", ""),
    )


def _taken(web: Web, delivery: Delivery) -> Answer:
    wanted = read(web, delivery)
    if isinstance(wanted, Answer):
        return wanted
    try:
        taken = web.ledger.accept(wanted, delivery.id, stages_of(wanted), FIRST_QUEUE)
    except (RedisError, NotDurableError) as error:
        return unavailable(error)
    tell(delivery, taken)
    return accepted(web, taken)
