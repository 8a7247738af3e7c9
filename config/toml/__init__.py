"""TOML text → one valid, frozen object, or every problem in it with its line."""

import datetime as dt
import difflib
import functools
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from config.limits import MANIFEST
from config.toml.lines import Path as Location
from config.toml.lines import key_lines

MAX_BYTES = MANIFEST
MAX_DEPTH = 64
MAX_PROBLEMS = 100
MAX_SHOWN = 64
# tomllib takes quadratic time for one dotted key of very many parts.
_DEEP_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+)"""
    f"{{{MAX_DEPTH}}}"
)
_SYNTAX = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_EXPECTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "mapping_type": "a table",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_LIMITS = {
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
}


class Problem(NamedTuple):
    """One thing wrong in one line (from 1) of one file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """The way compilers write it, so that editors can jump to it."""
        return f"{self.file}:{self.line}: {self.message}"


class ConfigError(Exception):
    """All that is wrong with a configuration file, a line each; the first hundred of it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
        self.problems = tuple(found[:MAX_PROBLEMS])
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Problem, ...]]]:
        """Pickle by the problems, not by the text."""
        return type(self), (self.problems,)


class Section(BaseModel):
    """A table of a configuration file: frozen, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Document(Section):
    """A whole file, with what holds between its tables."""

    @classmethod
    def across(cls, raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
        """Problems that no table can see alone, from raw data of any shape."""
        del raw
        yield from ()


D = TypeVar("D", bound=Document)


def read(path: Path) -> str:
    """The text of a file.

    Raises:
        ConfigError: it can't be read, is over 1 MB or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _one(str(path), 1, f"can't be read: {reason}; check the path and its mode") from None
    if len(data) > MAX_BYTES:
        raise _one(str(path), 1, _TOO_BIG)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _one(str(path), line, "not UTF-8; save the file as UTF-8") from None


def parse(model: type[D], text: str, file: str) -> D:
    """Text as a valid object.

    Args:
        model: what the document must be.
        text: the document.
        file: its name in messages.

    Raises:
        ConfigError: with every problem, by line.
    """
    text = text.removeprefix("\ufeff")
    raw, lines = _parsed(text, file)
    found = [(location, message, location) for location, message in model.across(raw)]
    try:
        value = model.model_validate(raw)
    except ValidationError as error:
        schema = _schema(model)
        # One file of a megabyte can hold a problem in each of a hundred thousand keys.
        details = error.errors(include_url=False)[: 10 * MAX_PROBLEMS]
        found += [
            _explained(detail, schema, lines)
            for detail in details
            if detail["type"] != "default_factory_not_called"
        ]
    if found:
        raise ConfigError(
            Problem(file, _line(location, lines), f"{_dotted(shown)}: {message}".lstrip(": "))
            for location, message, shown in found
        )
    return value


@functools.cache
def _schema(model: type[Document]) -> Mapping[str, Any]:
    return model.model_json_schema()


_TOO_BIG = "over 1 MB; a configuration file is a few kilobytes"


def _one(file: str, line: int, message: str) -> ConfigError:
    return ConfigError([Problem(file, line, message)])


def table(text: str, file: str) -> dict[str, Any]:
    """Any TOML document as it is, within the bounds of this reader.

    Raises:
        ConfigError: it is not TOML, or too large or deep.
    """
    raw, _ = _read(text, file, lambda _: {})
    return raw


def _parsed(text: str, file: str) -> tuple[dict[str, Any], Mapping[Location, int]]:
    return _read(text, file, key_lines)


def _read(
    text: str, file: str, lines: Callable[[str], Mapping[Location, int]]
) -> tuple[dict[str, Any], Mapping[Location, int]]:
    if len(text) > MAX_BYTES:
        raise _one(file, 1, _TOO_BIG)
    if deep := _DEEP_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise _one(file, line, f"a key of more than {MAX_DEPTH} parts; no key here is that deep")
    try:
        return tomllib.loads(text), lines(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(str(error), text, file) from None
    except RecursionError:
        raise _one(
            file, 1, "lists or tables nested too deeply; no value here is that deep"
        ) from None
    except ValueError:
        raise _one(file, 1, "a number with too many digits; shorten it") from None


def _syntax(error: str, text: str, file: str) -> ConfigError:
    match = _SYNTAX.match(error)
    what, line, column = match.groups() if match else (error, None, None)
    last = text.rstrip("\n").count("\n") + 1
    where = f" at column {column}" if column else " at the end of the file"
    again = "; each key and table may stand only once" if "Cannot" in what else ""
    return _one(file, int(line or last), f"not valid TOML: {what}{where}{again}")


def _explained(
    error: ErrorDetails, schema: Mapping[str, Any], lines: Mapping[Location, int]
) -> tuple[Location, str, Location]:
    location = tuple(part for part in error["loc"] if part != "[key]")
    if error["type"] == "missing":
        purpose = _at(schema, location).get("description")
        return location, "missing; add it" + (f": {purpose}" if purpose else ""), location
    shown = location if error["type"] == "extra_forbidden" else _known(location, lines)
    return location, _message(error, _at(schema, location[:-1])), shown


def _message(error: ErrorDetails, table: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(str(error["loc"][-1]), list(table.get("properties", {})))
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {kind_of(error['input'])}"
    if kind == "literal_error":
        return _choice(str(error["input"]), re.findall(r"'([^']*)'", context["expected"]))
    if kind == "value_error":
        return str(context["error"])
    return _LIMITS[kind].format(**context) if kind in _LIMITS else error["msg"]


def _unknown(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key.lower(), known, 1)
    if near:
        return f'unknown key; did you mean "{near[0]}"?'
    return f"unknown key; remove it, or use one of {', '.join(known)}"


def _choice(value: str, choices: list[str]) -> str:
    near = difflib.get_close_matches(value, choices, 1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return f"expected one of {', '.join(choices)}{hint}"


def kind_of(value: object) -> str:
    """What a value of TOML is, in words."""
    names: dict[type, str] = {
        bool: "a boolean",
        str: "a string",
        int: "a whole number",
        float: "a number with a fraction",
        list: "a list",
        dict: "a table",
        dt.datetime: "a time",
        dt.date: "a date",
        dt.time: "a time",
    }
    return names.get(type(value), "something else")


def _at(schema: Mapping[str, Any], location: Location) -> Mapping[str, Any]:
    """The part of a JSON Schema that describes a location; empty if none does."""
    nodes = _alternatives(schema, schema)
    for part in location:
        inner: list[Mapping[str, Any]] = []
        for node in nodes:
            own = node.get("properties", {}).get(part)
            others = node.get("patternProperties", {}).values()
            steps = [own] if own else [*others, node.get("items")]
            inner += [one for step in steps if step for one in _alternatives(step, schema)]
        nodes = inner
    described = [node for node in nodes if "properties" in node or "description" in node]
    return described[0] if described else {}


def _alternatives(node: Mapping[str, Any], root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "$ref" in node:
        target = root["$defs"][node["$ref"].rpartition("/")[2]]
        return _alternatives(target, root)
    found = [node]
    for choice in node.get("anyOf", ()):
        found += _alternatives(choice, root)
    return sorted(found, key=lambda one: "properties" not in one)


def _known(location: Location, lines: Mapping[Location, int]) -> Location:
    while location and location not in lines:
        location = location[:-1]
    return location


def _line(location: Location, lines: Mapping[Location, int]) -> int:
    return lines.get(_known(location, lines), 1)


def _dotted(location: Location) -> str:
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else repr(part)
            name = name if len(name) <= MAX_SHOWN else name[:MAX_SHOWN] + "…"
            text += f".{name}" if text else name
    return text
