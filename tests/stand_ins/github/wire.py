"""Values on their way between the stand-in and its client: JSON with named shapes."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from tests.stand_ins.github.faults import Fault
from tests.stand_ins.github.journal import Request
from tests.stand_ins.github.model import Delivery, Hook, PullRequest, Repository, Status

SHAPES: dict[str, type] = {
    shape.__name__: shape
    for shape in (Delivery, Fault, Hook, PullRequest, Repository, Request, Status)
}
SHAPE, BYTES = "$shape", "$bytes"


def pack(value: Any) -> Any:
    """A value as plain JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: pack(getattr(value, field.name)) for field in fields(value)}
        return {SHAPE: type(value).__name__, **parts}
    if isinstance(value, bytes):
        return {BYTES: base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {key: pack(one) for key, one in value.items()}
    if isinstance(value, str):
        return value
    return [pack(one) for one in value] if isinstance(value, Sequence | set) else value


def unpack(value: Any) -> Any:
    """What `pack` packed."""
    if isinstance(value, list):
        return [unpack(one) for one in value]
    if not isinstance(value, dict):
        return value
    if BYTES in value:
        return base64.b64decode(value[BYTES])
    parts = {key: unpack(one) for key, one in value.items() if key != SHAPE}
    return SHAPES[value[SHAPE]](**parts) if SHAPE in value else parts
