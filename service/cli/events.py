"""Server-sent events as a client reads them (HTML Living Standard, section 9.2)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a run."""

    kind: str
    id: str
    data: dict[str, Any]


def events(read: Callable[[int], bytes]) -> Iterator[Event]:
    """The events of a stream; `read` gives what there is of it, b"" at its end.

    Raises:
        ValueError: the data of an event is no JSON object.
    """
    fields: dict[str, str] = {}
    for line in _lines(read):
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif not line and "data" in fields:
            data = json.loads(fields.pop("data"))
            if not isinstance(data, dict):
                raise ValueError("an event's data is an object")
            yield Event(fields.pop("event", "message"), fields.get("id", ""), data)


def _lines(read: Callable[[int], bytes]) -> Iterator[str]:
    """Whole lines; Slipway ends them with one character, and each event has one of data."""
    rest = b""
    while part := read(READ_BYTES):
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
