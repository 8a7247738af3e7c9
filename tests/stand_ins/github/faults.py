"""Faults that a test orders in advance: bad answers, delays and dropped connections."""

import itertools
import re
import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """What the next matching requests get; `struck` counts how often it has happened.

    `status` None lets the request through (after `delay` seconds). With `after`, the request is
    carried out first and only its answer is spoiled.
    """

    id: int
    method: str
    path_regex: str
    times: int = 1
    status: int | None = 502
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    delay: float = 0
    drop_connection: bool = False
    after: bool = False
    struck: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Whether it is due for this request; `*` stands for any method."""
        due = self.struck < self.times and self.method in {"*", method}
        return due and re.search(self.path_regex, path) is not None


class Faults:
    """The faults of one stand-in, in the order in which they were ordered."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self.all: list[Fault] = []

    def add(self, method: str, path_regex: str, **what: Any) -> Fault:
        """Order a fault."""
        fault = Fault(next(self._ids), method.upper(), re.compile(path_regex).pattern, **what)
        with self._lock:
            self.all.append(fault)
        return fault

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, counted; None when there is none."""
        with self._lock:
            for fault in self.all:
                if fault.matches(method, path):
                    fault.struck += 1
                    return fault
        return None

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self.all.clear()
