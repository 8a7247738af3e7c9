"""POST /webhooks/github: cap the size, verify, parse, accept, answer.

`service/entrance/deliveries.py` takes the same steps as a coroutine.
"""

from functools import partial

from flask import Blueprint, Response, request
from redis.exceptions import RedisError

from service.answer import Answer, response
from service.web import Web
from service.webhooks.body import whole
from service.webhooks.delivery import (
    FIRST_QUEUE,
    answered,
    delivered,
    forget,
    read,
)
from workers.ledger import Accepted, NotDurableError
from workers.ledger.model.stages import stages_of

MOST_BYTES = 25 * 1024 * 1024  # GitHub's own limit for a payload
MOST_NAME = "25 MB"

PATH = "/webhooks/github"

blueprint = Blueprint("webhook", __name__)


@blueprint.post(PATH)
def github() -> Response:
    """Take a delivery: 202 with its run, or 200 with the reason why there is none."""
    web, delivery = Web.current(), delivered(whole(MOST_BYTES, MOST_NAME), request.headers.get)
    wanted = read(delivery, web.webhook_secrets, web.operator, partial(forget, web.ledger))
    if isinstance(wanted, Answer):
        return response(wanted)
    taken: Accepted | Exception
    try:
        taken = web.ledger.accept(wanted, delivery.id, stages_of(wanted), FIRST_QUEUE)
    except (RedisError, NotDurableError) as error:
        taken = error
    return response(answered(taken, delivery, web.url))
