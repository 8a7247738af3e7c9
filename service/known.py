"""What one process knows of addresses from which tokens came."""

from collections import OrderedDict
from time import monotonic
from typing import TypeVar

from workers.ledger.sessions import WINDOW_SECONDS

MOST_KNOWN = 10_000
GOOD_SECONDS = 3600.0
K = TypeVar("K")


class Known:
    """What one process knows of addresses, so that right tokens cost no look into the ledger."""

    def __init__(self) -> None:
        self._shut: OrderedDict[str, float] = OrderedDict()
        self._good: OrderedDict[tuple[str, str], float] = OrderedDict()

    def good(self, address: str, name: str) -> None:
        """A right token came; its owner is heard from there whatever others guess."""
        _keep(self._good, (address, name), monotonic() + GOOD_SECONDS)

    def shut(self, address: str) -> None:
        """Hear nobody new from an address for some minutes."""
        _keep(self._shut, address, monotonic() + WINDOW_SECONDS)

    def shut_for(self, address: str, name: str | None) -> bool:
        """Whether a token from there, that of `name` or a wrong one, goes unheard."""
        now = monotonic()
        if not max(self._shut.get(address, 0), self._shut.get("all", 0)) > now:
            return False
        return name is None or self._good.get((address, name), 0) < now


def _keep(kept: OrderedDict[K, float], key: K, until: float) -> None:
    kept[key] = until
    kept.move_to_end(key)
    if len(kept) > MOST_KNOWN:
        kept.popitem(last=False)
