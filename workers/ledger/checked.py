"""The checks of one pull requests' head, and what GitHub was last told of them all."""

from typing import Any, NamedTuple

from redis import Redis

from workers.ledger import keys
from workers.ledger.accept import ORDER_SECONDS
from workers.ledger.model.order import Order


class Checked(NamedTuple):
    """A head's runs by the environment of their base, of open pull requests, and what was told."""

    runs: dict[str, str]
    open: frozenset[str]
    told: dict[str, str]

    def others(self, order: Order) -> list[str]:
        """The runs that speak in the same contexts as that of an order, for other bases."""
        ours = order.target or ""
        return [run for target, run in self.runs.items() if target in self.open and target != ours]

    def counts(self, order: Order) -> bool:
        """Whether the run of an order speaks of an open pull request, or there is none."""
        return not self.open or (order.target or "") in self.open


class Heads:
    """Heads as the ledger knows them."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    def checked(self, order: Order) -> Checked:
        """All that is known of the head that an order checks."""
        fields = self._redis.hgetall(keys.checked(order.repository_id, order.commit))

        def part(kind: str) -> dict[str, str]:
            named = ((name.partition(":"), value) for name, value in fields.items())
            return {rest: value for (what, _, rest), value in named if what == kind}

        return Checked(part("run"), frozenset(part("pull").values()), part("told"))

    def tell(self, order: Order, context: str, said: str) -> None:
        """Remember what GitHub was told in a context of that head."""
        key = keys.checked(order.repository_id, order.commit)
        pipe = self._redis.pipeline(transaction=False)
        pipe.hset(key, f"told:{context}", said)
        pipe.expire(key, ORDER_SECONDS)
        pipe.execute()
