"""What the accept script is told, and what its answer means."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

from workers.ledger import keys, messages
from workers.ledger.codec import stages_text
from workers.ledger.model.order import Order
from workers.ledger.model.run import StageRecord
from workers.ledger.scripts import source

POLL = "poll:"
"""How the ids of those deliveries begin that the poll makes up."""
DELIVERY_SECONDS = 7 * 86400
ORDER_SECONDS = 90 * 86400
WAITAOF_SECONDS = 1.5
"""Longer than `appendfsync everysec` takes: only servers that we may not set up have it."""
WAITAOF = ("WAITAOF", 1, 0, int(WAITAOF_SECONDS * 1000))
PROBE = ("EVAL", source("probe"), 1, keys.SCHEMA)
"""A write that is refused whenever an order's would be, and changes nothing."""
HASTY_WAITAOF = ("WAITAOF", 1, 0, 400)
"""For clients that hang up after 0.6 s."""


class NotDurableError(RuntimeError):
    """Redis took the record and did not confirm that it is on disk."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The run that a delivery belongs to, if it is about any, and whether it is a new one."""

    run_id: str
    fresh: bool

    @classmethod
    def of(cls, reply: Any) -> "Accepted":  # noqa: ANN401 - as the script
        """What the accept script answered."""
        fresh, run_id = reply
        return cls(str(run_id), bool(fresh))


def arguments(
    order: Order, delivery: str, stages: tuple[str, ...], first_queue: str, instead_of: str = ""
) -> dict[str, str | int]:
    """The accept script's arguments for one order, by their names."""
    run_id = str(uuid4())
    return {
        "id": run_id,
        "delivery": delivery,
        "order_key": order.key,
        "order": order.model_dump_json(),
        "stages": _untouched(stages),
        "queue": first_queue,
        "branch": keys.branch(order.repository, order.branch),
        "repository": keys.repository(order.repository),
        "pull_request": order.pull_request.model_dump_json() if order.pull_request else "",
        "broker_queue": messages.key(first_queue),
        "message": messages.message(messages.ADVANCE, run_id, run_id, first_queue),
        "delivery_seconds": DELIVERY_SECONDS,
        "order_seconds": ORDER_SECONDS,
        "instead_of": instead_of,
        "sender": order.sender or "",
        "people": json.dumps(order.people) if order.people else "",
        "teller": _teller(order, delivery),
        **_head(order, instead_of),
    }


def _teller(order: Order, delivery: str) -> str:
    """What tells of an order: of one commit, a push and a merge both do, each of them once."""
    if delivery.startswith(POLL):
        return "poll"
    if order.pull_request is None:
        return "push"
    return "merge" if order.purpose == "deploy" else f"pull:{order.pull_request.number}"


def _head(order: Order, instead_of: str) -> dict[str, str]:
    """What an order tells of its branch: its name, the heads before and after, whether forced."""
    if order.purpose != "deploy" or instead_of:
        return {"head": "", "before": "", "after": "", "forced": ""}
    return {
        "head": keys.head(order.repository_id, order.branch),
        "before": order.before,
        "after": order.commit,
        "forced": "1" if order.forced else "",
    }


def confirm(reply: Any) -> None:  # noqa: ANN401 - any Redis reply
    """Judge what Redis answered to WAITAOF.

    Raises:
        NotDurableError: the record may not survive a power cut.
    """
    if not reply or not reply[0]:
        raise NotDurableError("Redis did not confirm the write to its append-only file")


@cache
def _untouched(stages: tuple[str, ...]) -> str:
    """The stages of a new run, as JSON."""
    return stages_text(tuple(StageRecord(name=name) for name in stages))
