"""The values that both configuration files share, each with its rule and its words."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    WithJsonSchema,
    WrapSerializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from config.limits import COMMAND, PATH, PATTERNS

K = TypeVar("K")
V = TypeVar("V")

_DURATION = re.compile(
    r"(?=.)(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?"
)
_MOST_SECONDS = 365 * 24 * 3600.0
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_RESERVED = (("xn--", "sthree-", "amzn-s3-demo-"), ("-s3alias", "--ol-s3", ".mrap", "--x-s3"))


class Matching:
    """Metadata for `Annotated[str, …]`: the whole string matches a pattern, for editors too."""

    def __init__(self, pattern: str, expected: str) -> None:
        self.pattern = pattern
        self.expected = expected

    def check(self, value: str) -> str:
        """The value itself.

        Raises:
            ValueError: it does not match.
        """
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"expected {self.expected}")
        return value

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check after pydantic knows that it is a string."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Give editors the same pattern."""
        return {**handler(schema), "pattern": f"^{self.pattern}$"}


def seconds(value: object) -> float:
    """A duration such as `"1h30m"` in seconds.

    Raises:
        ValueError: it is no such text, is zero, or is over a year.
    """
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('expected a duration in quotes, such as "30s", "5m", "2h" or "1h30m"')
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    total = float(days * 86400 + hours * 3600 + minutes * 60 + rest)
    if not 0 < total <= _MOST_SECONDS:
        raise ValueError('expected a duration from "1s" to "8760h"')
    return total


def _one_line(value: str) -> str:
    if not value.strip():
        raise ValueError("expected some text, got none; write it or remove the key")
    if _CONTROL.search(value):
        raise ValueError("expected text without control characters or line breaks; remove them")
    return value


def _short(value: str) -> str:
    if len(value) > PATH:
        raise ValueError(f"expected a path of at most {PATH} characters, got {len(value)}")
    return _one_line(value)


def _few(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(value) > PATTERNS:
        raise ValueError(
            f"expected at most {PATTERNS} paths or globs, got {len(value)}; take folders"
        )
    return value


def _bucket(value: str) -> str:
    prefixes, suffixes = _RESERVED
    wrong = (
        not re.fullmatch(_BUCKET, value)
        or ".." in value
        or _ADDRESS.fullmatch(value)
        or value.startswith(prefixes)
        or value.endswith(suffixes)
    )
    if wrong:
        raise ValueError(
            "expected an S3 bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens"
        )
    return value


def _inside(value: str) -> str:
    parts = _short(value).split("/")
    if value.startswith("/") or "\\" in value or ".." in parts:
        raise ValueError('expected a path inside the tree: relative, with "/", and without ".."')
    return value


def _absolute(value: str) -> str:
    parts = _short(value).split("/")
    if not value.startswith("/") or "\\" in value or ".." in parts or "." in parts:
        raise ValueError('expected an absolute path in the image, such as "/app", without ".."')
    return "/" + "/".join(part for part in parts if part)


def _command(value: str) -> str:
    if not value.strip() or "\0" in value:
        raise ValueError('expected a shell command, such as "npm test"')
    if len(value.encode(errors="replace")) > COMMAND:
        raise ValueError(f"expected a command of at most {COMMAND} bytes; put it in a file")
    return value


def _frozen(value: Mapping[K, V]) -> Mapping[K, V]:
    return MappingProxyType(dict(value))


def _dumped(value: Mapping[K, V], handler: SerializerFunctionWrapHandler) -> object:
    return handler(dict(value))


def at_most(most: int, what: str) -> Callable[[Mapping[K, V]], Mapping[K, V]]:
    """A validator: the mapping has no more entries than that."""

    def check(value: Mapping[K, V]) -> Mapping[K, V]:
        if len(value) > most:
            raise ValueError(f"expected at most {most} {what}, got {len(value)}; split the file")
        return value

    return check


FrozenMap = Annotated[Mapping[K, V], AfterValidator(_frozen), WrapSerializer(_dumped)]
Seconds = Annotated[
    float,
    BeforeValidator(seconds),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(?=.)([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$",
            "examples": ["30s", "5m", "2h", "1h30m", "7d"],
        }
    ),
]
Bucket = Annotated[
    str, AfterValidator(_bucket), WithJsonSchema({"type": "string", "pattern": f"^{_BUCKET}$"})
]
InsidePath = Annotated[
    str, AfterValidator(_inside), WithJsonSchema({"type": "string", "pattern": r"^[^/\\]"})
]
Command = Annotated[str, AfterValidator(_command)]
InsidePaths = Annotated[tuple[InsidePath, ...], AfterValidator(_few)]
# RFC 6838, section 4.2; a charset may follow.
MediaType = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
        r"(; ?charset=[A-Za-z0-9_-]{1,40})?",
        'a content type, such as "audio/mp4"',
    ),
]
TypedName = Annotated[
    str,
    Matching(
        r"\.[a-z0-9_+-]{1,20}|(?!/)[^\x00-\x1f\x7f\\]{1,200}",
        'a small-letter extension such as ".m4a", or a file\'s name such as "about"',
    ),
]
# CloudFront's ids are capitals and digits.
Distribution = Annotated[
    str,
    Matching(r"E[A-Z0-9]{5,31}", 'the id of a CloudFront distribution, such as "E1A2B3C4D5E6F7"'),
]
ImagePath = Annotated[
    str, AfterValidator(_absolute), WithJsonSchema({"type": "string", "pattern": "^/"})
]


def first(error: ValidationError) -> str:
    """The first problem of a body or a query, with its place."""
    problem = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(map(str, problem["loc"])) or "body"
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}"
