"""What long work asks and tells while it runs: may it go on, and what it has to say."""

from collections.abc import Callable
from typing import Protocol

Say = Callable[[str], None]
"""Receives output for the run's log: one or more whole lines, without the last line end."""


class Watch(Protocol):
    """Asked at least once a second during long waits whether the work may go on."""

    def check(self) -> None:
        """Return, or raise when the work must stop (lease lost, cancelled)."""
