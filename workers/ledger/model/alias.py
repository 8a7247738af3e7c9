"""Where an alias points, as AWS has it and as a run writes it down before it moves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True)
class Alias:
    """Where an alias points; `weights` are other versions' shares, 0 to 1."""

    version: str
    revision_id: str | None
    weights: Mapping[str, float] = field(default_factory=dict)
    commit: str | None = None

    def at(self, version: str) -> bool:
        """Whether all requests go to that version."""
        return self.version == version and not self.weights

    def same(self, other: Self) -> bool:
        """Whether both send each request to the same versions in the same shares."""
        return (self.version, self.weights) == (other.version, other.weights)
