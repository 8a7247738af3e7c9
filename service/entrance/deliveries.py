"""POST /webhooks/github as a coroutine: the same steps as the view's, and no thread."""

import asyncio
from functools import partial

from redis.exceptions import RedisError

from service.answer import Answer
from service.aside import Aside
from service.entrance.exchange import Exchange
from service.web import Web
from service.webhooks.body import refusal
from service.webhooks.delivery import (
    FIRST_QUEUE,
    Delivery,
    answered,
    deletion_dropped,
    delivered,
    forget,
    read,
)
from service.webhooks.events import Deleted
from service.webhooks.github import MOST_BYTES, MOST_NAME
from workers.ledger import Accepted, NotDurableError
from workers.ledger.asynchronous import AsyncLedger
from workers.ledger.model.order import Order
from workers.ledger.model.stages import stages_of

QUICK_BYTES = 1024 * 1024
"""Larger bodies are read in a thread: the loop answers nobody meanwhile."""


class Deliveries:
    """Takes deliveries, for one event loop."""

    def __init__(self, web: Web, ledger: AsyncLedger) -> None:
        self._web = web
        self._ledger = ledger
        self._deleted = Aside("deleted", partial(forget, web.ledger))

    async def take(self, exchange: Exchange) -> Answer:
        """The answer to a delivery."""
        wrong = refusal(exchange.length, MOST_BYTES, MOST_NAME, chunked=exchange.chunked)
        if wrong:
            return wrong
        delivery = delivered(await exchange.body(MOST_BYTES), exchange.headers.get)
        if len(delivery.body) > QUICK_BYTES:
            wanted = await asyncio.to_thread(self._read, delivery)
        else:
            wanted = self._read(delivery)
        if isinstance(wanted, Answer):
            return wanted
        return answered(await self._accept(wanted, delivery.id), delivery, self._web.url)

    def _read(self, delivery: Delivery) -> Order | Answer:
        return read(delivery, self._web.webhook_secrets, self._web.operator, self._gone)

    def _gone(self, found: Deleted) -> None:
        """Beside all else: no delivery waits for it, and few are asked to remember it at once."""
        if not self._deleted.add(found):
            deletion_dropped(found)

    async def _accept(self, order: Order, delivery: str) -> Accepted | Exception:
        try:
            return await self._ledger.accept(order, delivery, stages_of(order), FIRST_QUEUE)
        except (RedisError, NotDurableError) as error:
            return error
