"""Messages are what Celery itself would send."""

import base64
import json

from celery import Celery
from kombu import Connection

from workers.app import TRANSPORT
from workers.ledger import keys, messages
from workers.ledger.keys import BROKER_PREFIX

MOVING = {"origin", "reply_to", "delivery_tag"}


def opened(message):
    """A message with its body decoded, without what differs each time."""
    message = json.loads(message)
    message["body"] = json.loads(base64.b64decode(message["body"]))
    for part in (message["headers"], message["properties"]):
        for name in MOVING & set(part):
            assert part.pop(name)
    return message


def test_a_message_is_celerys_own(redis, redis_server):
    """What is written atomically beside the run equals what Celery writes to Redis itself."""
    app = Celery(set_as_current=False, broker=redis_server.url)
    app.conf.broker_transport_options = {"global_keyprefix": BROKER_PREFIX}
    app.send_task(
        "workers.advance",
        args=["run-1"],
        task_id="task-1",
        queue="build",
        ignore_result=True,
        argsrepr="[run]",
    )
    theirs = redis.rpop(messages.key("build"))
    ours = messages.message("advance", "task-1", "run-1", "build")
    assert opened(theirs) == opened(ours)


def test_messages_have_tags_of_their_own():
    """Two messages never share the tag by which kombu tells them apart."""
    tags = {
        json.loads(messages.message("advance", task, "run", "build"))["properties"]["delivery_tag"]
        for task in ("a", "b")
    }
    assert len(tags) == 2


def test_a_message_that_is_received_is_forgotten(redis, redis_server):
    """A worker's Celery takes a message out of Redis and writes nothing down about it."""
    redis.lpush(messages.key("build"), messages.message("advance", "task-1", "run-1", "build"))
    with Connection(redis_server.url, transport_options=TRANSPORT) as connection:
        received = connection.SimpleQueue("build").get(timeout=5)
        assert received.headers["id"] == "task-1"
        assert redis.keys(f"{keys.BROKER_PREFIX}unacked*") == []
        assert redis.llen(messages.key("build")) == 0
        received.ack()
