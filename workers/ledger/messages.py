"""Messages for the workers, by task name; imports neither the tasks nor anything they need.

A message goes to Redis in the same atomic step as what it is about (ADR 2), so it is made here
as Celery and kombu would make it; a test holds the two side by side.
"""

import base64
import json
from functools import cache
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu.connection import Connection

from workers.ledger.keys import BROKER_PREFIX

ADVANCE = "advance"
REPORT = "report"
LOOK = "look"
BRING = "bring"
REPORTS_ON = "deploy"
_SAMPLE = "00000000-0000-4000-8000-000000000000"


def key(queue: str) -> str:
    """The Redis list that the workers of one queue listen to."""
    return f"{BROKER_PREFIX}{queue}"


@cache
def _sample(name: str, queue: str) -> str:
    """One message as Celery sends it, caught on its way into memory."""
    with Connection("memory://") as connection:
        app = Celery(set_as_current=False, broker="memory://")
        app.conf.update(task_ignore_result=True, task_default_queue=queue)
        with connection.channel() as channel:
            app.send_task(
                f"workers.{name}",
                args=[_SAMPLE],
                task_id=_SAMPLE,
                queue=queue,
                connection=connection,
                ignore_result=True,
                argsrepr="[run]",
            )
            message: dict[str, Any] = channel._get(queue)  # noqa: SLF001 - see the module's text
    message["properties"]["delivery_info"] = {"exchange": "", "routing_key": queue}
    message["body"] = ""
    message["properties"]["delivery_tag"] = _SAMPLE
    return json.dumps(message)


def bell(name: str, about: str, queue: str) -> dict[str, str]:
    """What a script is told of the task that it queues: its id, its queue's list, its message."""
    task_id = str(uuid4())
    text = message(name, task_id, about, queue)
    return {"task_id": task_id, "queue": key(queue), "message": text}


NO_BELL = {"task_id": "", "queue": "", "message": ""}


def message(name: str, task_id: str, about: str, queue: str) -> str:
    """The message that makes a worker run the task `name` on a run, or LOOK on an environment."""
    body = json.dumps(
        [[about], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    )
    envelope = _sample(name, queue).replace(_SAMPLE, task_id)
    encoded = base64.b64encode(body.encode()).decode()
    return envelope.replace('"body": ""', f'"body": "{encoded}"', 1)
