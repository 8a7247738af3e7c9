"""A delivery of GitHub's: what it is read as, and the answers it can get.

The view in `service/webhooks/github.py` and the door share this: their answers are the same.
"""

from collections.abc import Callable
from typing import NamedTuple

import structlog
from redis.exceptions import RedisError

from config.server import Operator
from service.answer import Answer, refused
from service.webhooks import events
from service.webhooks.body import form_field
from service.webhooks.events import Deleted, Ignored, UnreadableError
from service.webhooks.signature import verify
from workers.ledger import Accepted, Ledger
from workers.ledger.heads import Heads
from workers.ledger.model.order import Order
from workers.ledger.model.stages import STAGES

LONGEST_ID = 100
FIRST_QUEUE = STAGES[0].queue
CLOSED = "a pull request that was closed without a merge into an environment's branch runs nothing"
UNSIGNED = refused(401, "X-Hub-Signature-256 is missing or is not this body's signature.")

log = structlog.get_logger()


class Delivery(NamedTuple):
    """One POST, with the headers that matter."""

    body: bytes
    signature: str | None
    event: str
    id: str
    kind: str


def delivered(body: bytes, header: Callable[[str], str | None]) -> Delivery:
    """A body with the headers that matter, which are asked for in lower case."""
    return Delivery(
        body=body,
        signature=header("x-hub-signature-256"),
        event=header("x-github-event") or "",
        id=header("x-github-delivery") or "",
        kind=header("content-type") or "",
    )


def read(
    delivery: Delivery,
    secrets: tuple[str, ...],
    operator: Operator,
    gone: Callable[[Deleted], None],
) -> Order | Answer:
    """What a delivery asks for, or the answer to it if there is nothing to accept."""
    if not verify(secrets, delivery.body, delivery.signature):
        return UNSIGNED
    return parse(delivery, operator, gone)


def answered(taken: Accepted | Exception, delivery: Delivery, url: str) -> Answer:
    """The answer to an order, by what the ledger made of it, or why it could not."""
    if not isinstance(taken, Accepted):
        return unavailable(taken)
    tell(delivery, taken)
    return accepted(taken, url)


def deletion_dropped(found: Deleted) -> None:
    """Write down that too many branches are deleted at once; the workers ask GitHub anyway."""
    log.warning("deletion_not_noted", branch=found.branch, error="too many at once")


def parse(
    delivery: Delivery, operator: Operator, gone: Callable[[Deleted], None]
) -> Order | Answer:
    """What a genuine delivery asks for, or the answer to it if there is nothing to accept.

    `gone` hears of a branch that was deleted.
    """
    if len(delivery.id) > LONGEST_ID:
        return refused(400, "X-GitHub-Delivery is too long.")
    if not delivery.event:
        return refused(400, "X-GitHub-Event is missing, so this is no delivery of GitHub's.")
    try:
        wanted = events.read(delivery.event, _payload(delivery), operator)
    except UnreadableError as error:
        return refused(400, f"The payload can't be read: {error}")
    if isinstance(wanted, Deleted):
        gone(wanted)
    return Answer(200, {"ignored": wanted.why}) if isinstance(wanted, Ignored) else wanted


def forget(ledger: Ledger, found: Deleted) -> None:
    """Have the ledger know of a deleted branch; if it can't, the workers ask GitHub anyway."""
    try:
        Heads(ledger.redis).told(
            found.repository_id, found.repository, found.branch, None, found.before
        )
    except RedisError as error:
        log.warning("deletion_not_noted", branch=found.branch, error=str(error))


def accepted(taken: Accepted, url: str) -> Answer:
    """The answer to what the ledger has taken on, or had already; `url` is Slipway's own."""
    run_id = taken.run_id
    if not run_id:
        return Answer(200, {"ignored": CLOSED}, told=True)
    ids = {"run_id": run_id, "task_id": run_id, "status_url": f"{url}/api/v1/runs/{run_id}"}
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
