"""The ledger's atomic steps: one Lua script each, on Redis's own clock."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis import Redis
from redis.commands.core import Script

from workers.ledger import keys
from workers.ledger.model.run import BEGINS, TRANSITIONS

Argument = str | int | Sequence[str]
"""A text or a number; for the last of a script that takes any number of them, all of these."""
SCHEMA = "2"
"""What this version knows; the first that had a number. ADR 13 says when it goes up."""
_FOLDER = files("workers.ledger") / "lua"
_ARGUMENTS = re.compile(r"^-- @arguments (.+)\n", re.MULTILINE)
_INCLUDE = re.compile(r"^-- @include (\w+)\n", re.MULTILINE)
_KEY = re.compile(r"\bKEY\.(\w+)")
_MODEL = re.compile(r"\bMODEL\.(\w+)")


@cache
def source(name: str) -> str:
    """The text of one script, behind all that it includes; it sees to the schema first."""
    return composed(f"-- @include schema\n{text_of(name)}")


def composed(text: str) -> str:
    """A script behind what its lines `-- @include NAME` name, each once, of `lua/shared`.

    Its arguments are locals, named as its lines `-- @arguments NAME …` say, and a `*NAME` at
    their end is a table of all that follow. `KEY.NAME` is a name of `keys`, `MODEL.NAME` a table.
    """
    found: dict[str, str] = {}
    _gather(text, found)
    named = _bare(text)
    whole = "".join([*found.values(), _locals(*_arguments(text)), named])
    whole = _KEY.sub(lambda match: f"'{getattr(keys, match[1])}'", whole)
    return _MODEL.sub(lambda match: _model()[match[1]], whole)


def ordered(name: str, given: Mapping[str, Argument]) -> list[str | int]:
    """The arguments of a script as it reads them, out of those that it is given by name.

    Raises:
        TypeError: one is missing, or the script has none of that name.
    """
    names, rest = _arguments(text_of(name))
    wanted = {*names, *filter(None, [rest])}
    if wanted != set(given):
        odd = ", ".join(sorted(wanted ^ set(given)))
        raise TypeError(f"{name}.lua: missing, or not one of its arguments: {odd}")
    values: list[Any] = [given[one] for one in names]
    return values + list(given[rest] if rest else ())  # type: ignore[arg-type] # a table


def _gather(text: str, found: dict[str, str]) -> None:
    for name in _INCLUDE.findall(text):
        if name not in found:
            shared = (_FOLDER / "shared" / f"{name}.lua").read_text()
            _gather(shared, found)
            found[name] = _bare(shared)


@cache
def text_of(name: str) -> str:
    """The text of one script as it was written."""
    return (_FOLDER / f"{name}.lua").read_text()


def _bare(text: str) -> str:
    return _INCLUDE.sub("", _ARGUMENTS.sub("", text))


@cache
def _arguments(text: str) -> tuple[tuple[str, ...], str]:
    """The names of a script's arguments, and that of the table of all that follow, or ""."""
    names = " ".join(_ARGUMENTS.findall(text)).split()
    rest = names.pop()[1:] if names and names[-1].startswith("*") else ""
    return tuple(names), rest


def _locals(names: Sequence[str], rest: str) -> str:
    """Lua that gives the arguments their names."""
    text = f"local {', '.join(names)} = unpack(ARGV, 1, {len(names)})\n" if names else ""
    if rest:
        first = len(names) + 1
        text += (
            f"local {rest} = {{}}\nfor i = {first}, #ARGV do {rest}[#{rest} + 1] = ARGV[i] end\n"
        )
    return text


@cache
def _model() -> dict[str, str]:
    """What scripts know of ours: Lua's tables of the moves and of the open states, the schema."""
    moves = [f"{state}>{to}" for state, following in TRANSITIONS.items() for to in following]
    return {
        "MOVES": _table([*moves, f">{BEGINS}"]),
        "SCHEMA": f"'{SCHEMA}'",
        "OPEN": _table([state for state in TRANSITIONS if not state.final]),
    }


def _table(names: list[Any]) -> str:
    return "{" + ", ".join(f"['{name}'] = true" for name in sorted(names)) + "}"


Command = tuple[str | int, ...]


@cache
def _sha(name: str) -> str:
    return sha1(source(name).encode(), usedforsecurity=False).hexdigest()


def command(name: str, given: Mapping[str, Argument]) -> Command:
    """Running one script as a command, for a server that has it already."""
    return ("EVALSHA", _sha(name), 1, keys.SCHEMA, *ordered(name, given))


def whole(known: Command, name: str) -> Command:
    """The same command for a server that doesn't have the script."""
    return ("EVAL", source(name), *known[2:])


class Scripts:
    """Runs scripts by name; each is sent whole only to a server that doesn't have it yet."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts: dict[str, Script] = {}

    def __call__(self, script: str, /, **given: Argument) -> Any:  # noqa: ANN401 - as the script
        """Run one script with its arguments by name; its answer as Redis gives it."""
        return self._script(script)(keys=[keys.SCHEMA], args=ordered(script, given))

    def along(self, pipe: Any, script: str, /, **given: Argument) -> None:  # noqa: ANN401 - redis-py's
        """Run one script as part of a pipeline."""
        self._script(script)(keys=[keys.SCHEMA], args=ordered(script, given), client=pipe)

    def _script(self, name: str) -> Script:
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = self._redis.register_script(source(name))
        return script
