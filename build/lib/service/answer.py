"""An answer in JSON, before it is Flask's or goes over the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.problems import PROBLEM, described


@dataclass(frozen=True, slots=True)
class Answer:
    """What a delivery gets; `told`: the log has a line about it."""

    status: int
    body: Mapping[str, object]
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    told: bool = False


def refused(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A problem as an answer."""
    return Answer(status, described(status, detail), PROBLEM, headers or {})
