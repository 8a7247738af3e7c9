"""How fast AWS's control plane may be asked: a budget for each account and region.

Sources: "Lambda quotas" in AWS Lambda's developer guide (15 calls a second for an account and
region, all callers together; GetFunction 100 and GetPolicy 15 of their own), and
TooManyRequestsException of its API reference.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS_PER_SECOND = 14
"""One less than AWS allows: what leaves within a second may arrive within less than one."""

ALONE_PER_SECOND = 5
"""What a process allows itself while it can't ask what the others do."""

LONGEST_PAUSE = 60.0
TOO_MANY_REQUESTS = 429


class Quota(NamedTuple):
    """A number of calls a second, and the name of those who share it."""

    name: str
    rate: int


CONTROL = Quota("control", CALLS_PER_SECOND)
OF_THEIR_OWN: dict[str, Quota | None] = {
    "GetFunction": Quota("read", 95),
    "GetPolicy": Quota("policy", CALLS_PER_SECOND),
    # Limited by the function's concurrency, not by calls a second.
    "Invoke": None,
}


class Shared(Protocol):
    """A budget that all workers draw on."""

    def reserve(self, name: str, rate: int) -> float | None:
        """Take the next free turn: seconds until it comes; None when nobody can say."""

    def pause(self, name: str, seconds: float) -> None:
        """Let nobody have a turn for so long."""


class Local:
    """A budget of one process, with the same rule: `rate` calls at most in any one second."""

    def __init__(self) -> None:
        self._turns: dict[str, deque[float]] = {}
        self._paused: dict[str, float] = {}
        self._lock = threading.Lock()

    def reserve(self, name: str, rate: int) -> float:
        """Take the next free turn: seconds until it comes."""
        with self._lock:
            now = time.monotonic()
            turns = self._turns.setdefault(name, deque())
            while len(turns) > rate:
                turns.popleft()
            free = turns[0] + 1 if len(turns) == rate else now
            turn = max(now, free, self._paused.get(name, now))
            turns.append(turn)
            return turn - now

    def pause(self, name: str, seconds: float) -> None:
        """Let nobody have a turn for so long."""
        with self._lock:
            until = time.monotonic() + seconds
            self._paused[name] = max(until, self._paused.get(name, until))


class Budget:
    """What one client may ask of one account and region; `place` names these, asked when needed."""

    def __init__(self, place: Callable[[], str], shared: Shared | None = None) -> None:
        self._place = place
        self._shared = shared
        self._local = Local()

    def take(self, quota: Quota = CONTROL) -> float:
        """Wait for a call's turn; returns the seconds waited."""
        seconds = None
        if self._shared:
            seconds = self._shared.reserve(self._name(quota), quota.rate)
        if seconds is None:
            rate = min(quota.rate, ALONE_PER_SECOND) if self._shared else quota.rate
            seconds = self._local.reserve(quota.name, rate)
        if seconds > 0:
            time.sleep(seconds)
        return seconds

    def _name(self, quota: Quota) -> str:
        return f"{self._place()}/{quota.name}"

    def before_send(self, event_name: str, **_: object) -> None:
        """A botocore `before-send` handler: every attempt counts, repeats too."""
        quota = _quota(event_name)
        if quota:
            self.take(quota)

    def response_received(
        self, event_name: str, response_dict: dict[str, Any] | None = None, **_: object
    ) -> None:
        """A botocore `response-received` handler: who is told to wait makes all others wait.

        botocore's own repetition knows no Retry-After; its next attempt waits here.
        """
        quota = _quota(event_name)
        if quota is None or response_dict is None:
            return
        if response_dict["status_code"] != TOO_MANY_REQUESTS:
            return
        seconds = retry_after(response_dict["headers"].get("retry-after"))
        if not seconds:
            return
        pause = min(seconds, LONGEST_PAUSE)
        self._local.pause(quota.name, pause)
        if self._shared:
            self._shared.pause(self._name(quota), pause)


def retry_after(text: object) -> float | None:
    """The seconds of a Retry-After header; None for a missing one and for a date."""
    try:
        seconds = float(str(text))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _quota(event_name: str) -> Quota | None:
    return OF_THEIR_OWN.get(event_name.rpartition(".")[2], CONTROL)
