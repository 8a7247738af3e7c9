"""Deliveries that failed are sent again, and no others."""

from tests.github.conftest import NAME
from tests.stand_ins.github import GitHub, Receiver
from workers.github.client import GitHub as Client
from workers.github.deliveries import MOST_ATTEMPTS, redeliver


def push(hub: GitHub, content: str) -> None:
    """A push that is told to the hook."""
    hub.commit(NAME, "master", {"a": content})
    hub.push_event(NAME, "master")


def guids(receiver: Receiver) -> list[str]:
    """Which deliveries came, in order."""
    return [headers["X-GitHub-Delivery"] for headers, _ in receiver.got]


def test_only_what_never_got_through_comes_again(hub: GitHub, client: Client) -> None:
    """A delivery that failed comes once more with its id; one that got through does not."""
    with Receiver() as receiver:
        hub.add_hook(NAME, receiver.url)
        push(hub, "fine")
        receiver.status = 503
        push(hub, "lost")
        receiver.status = 202
        before = guids(receiver)
        assert redeliver(client, NAME, receiver.url) == 1
        hub.settle()
        assert guids(receiver) == [*before, before[-1]]
        assert redeliver(client, NAME, receiver.url) == 0


def test_a_delivery_is_given_up_after_a_while(hub: GitHub, client: Client) -> None:
    """A receiver that refuses a delivery for good is not asked for ever."""
    with Receiver() as receiver:
        hub.add_hook(NAME, receiver.url)
        receiver.status = 400
        push(hub, "never")
        for _ in range(MOST_ATTEMPTS + 3):
            redeliver(client, NAME, receiver.url)
            hub.settle()
        assert len(guids(receiver)) == MOST_ATTEMPTS


def test_other_peoples_hooks_are_left_alone(hub: GitHub, client: Client) -> None:
    """Only deliveries to our own URL are looked at."""
    with Receiver() as receiver:
        hub.add_hook(NAME, receiver.url)
        receiver.status = 503
        push(hub, "theirs")
        assert redeliver(client, NAME, "http://127.0.0.1:9/webhooks/github") == 0
