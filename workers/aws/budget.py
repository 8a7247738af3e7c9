"""How fast this process may ask Lambda's control plane, so that it isn't told to slow down."""

import threading
import time

CALLS_PER_SECOND = 14
"""AWS allows 15 a second per account and region, all callers together (Lambda quotas)."""

FREE = frozenset({"GetFunction", "Invoke"})
"""Operations outside that quota: GetFunction has 100 a second of its own, Invoke has no such."""


class Budget:
    """A token bucket of one process; a bucket shared by all workers comes with issue 4."""

    def __init__(self, rate: float = CALLS_PER_SECOND) -> None:
        self._rate = rate
        self._tokens = rate
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Wait for a call's turn; returns the seconds waited."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate) - 1
            self._at = now
            seconds = max(0.0, -self._tokens / self._rate)
        time.sleep(seconds)
        return seconds

    def before_send(self, event_name: str, **_: object) -> None:
        """A botocore `before-send` handler: every attempt counts, repeats too."""
        if event_name.rpartition(".")[2] not in FREE:
            self.take()
