"""POST /webhooks/github: cap the size, verify, parse, accept, answer.

`service/door.py` takes deliveries of the plainest shape by the same steps, and never waits.
"""

from functools import partial

from flask import Blueprint, Response, request
from redis.exceptions import RedisError

from service.answer import Answer, response
from service.plain import PATH
from service.web import Web
from service.webhooks.body import whole
from service.webhooks.delivery import (
    FIRST_QUEUE,
    UNSIGNED,
    accepted,
    delivered,
    forget,
    parse,
    tell,
    unavailable,
)
from service.webhooks.signature import verify
from workers.ledger import NotDurableError
from workers.ledger.model.stages import stages_of

MOST_BYTES = 25 * 1024 * 1024  # GitHub's own limit for a payload

blueprint = Blueprint("webhook", __name__)


@blueprint.post(PATH)
def github() -> Response:
    """Take a delivery: 202 with its run, or 200 with the reason why there is none."""
    web, delivery = Web.current(), delivered(whole(MOST_BYTES, "25 MB"), request.headers.get)
    if not verify(web.webhook_secrets, delivery.body, delivery.signature):
        return response(UNSIGNED)
    wanted = parse(delivery, web.operator, partial(forget, web.ledger))
    if isinstance(wanted, Answer):
        return response(wanted)
    try:
        taken = web.ledger.accept(wanted, delivery.id, stages_of(wanted), FIRST_QUEUE)
    except (RedisError, NotDurableError) as error:
        return response(unavailable(error))
    tell(delivery, taken)
    return response(accepted(taken, web.url))
