"""`limits` of the operator's `[builds]`: what one check and one build may use."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StrictInt

from config import toml
from config.values import Matching, Seconds

_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = r"[1-9][0-9]{0,14}[bkmgtBKMGT]?"
_LEAST_MEMORY = 6 << 20  # Docker's own


def size_bytes(text: str) -> int:
    """A size as Docker writes it ("512m", "2g", bytes without a unit) in bytes.

    Raises:
        ValueError: it is no such text.
    """
    found = re.fullmatch(r"([0-9]+)([bkmgt]?)", text.lower())
    if found is None:
        raise ValueError('expected a size such as "512m" or "2g"')
    return int(found[1]) * _UNITS[found[2]]


def _enough(text: str) -> str:
    if size_bytes(text) < _LEAST_MEMORY:
        raise ValueError('expected at least "6m", Docker\'s own least')
    return text


Size = Annotated[str, Matching(_SIZE, 'a size in quotes, such as "512m" or "10g"')]


class Limits(toml.Section):
    """Limits of each check's container, and of each image build; what is left out is as before."""

    memory: Annotated[Size, AfterValidator(_enough)] | None = Field(
        None, description='memory of one check, such as "4g"; wins over SLIPWAY_CHECK_MEMORY'
    )
    cpus: float | None = Field(
        None,
        strict=True,
        gt=0,
        le=1024,
        description="processors of one check; wins over SLIPWAY_CHECK_CPUS",
    )
    pids: StrictInt | None = Field(
        None, ge=16, le=1 << 22, description="processes of one check; wins over SLIPWAY_CHECK_PIDS"
    )
    disk: Size | None = Field(
        None, description="what one check may write; wins over SLIPWAY_CHECK_DISK"
    )
    timeout: Seconds | None = Field(
        None,
        description="time of one build and of one check; wins over SLIPWAY_BUILD_SECONDS and "
        "SLIPWAY_CHECK_SECONDS",
    )
