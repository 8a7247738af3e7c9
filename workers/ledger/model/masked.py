"""Texts of the record that people read: no secret gets into them, and no more than it takes."""

from collections.abc import Callable
from typing import Annotated

from pydantic import PlainSerializer, SerializationInfo

from config.limits import RECORDED
from config.masker import cut

Mask = Callable[[str], str]


def _masked(text: str, info: SerializationInfo) -> str:
    mask: Mask = info.context or str
    return cut(mask(text), RECORDED)


# Masked before it is encoded: JSON stays JSON, and a secret's quotes are not escaped yet.
Shown = Annotated[str, PlainSerializer(_masked, return_type=str)]
"""Such a text in a model; the mask is the `context` with which the model is dumped."""
