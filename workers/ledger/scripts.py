"""The ledger's atomic steps: one Lua script each, on Redis's own clock."""

import re
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis import Redis
from redis.commands.core import Script

from workers.ledger.model.run import BEGINS, TRANSITIONS

_FOLDER = files("workers.ledger") / "lua"
_INCLUDE = re.compile(r"^-- @include (\w+)\n", re.MULTILINE)
_MODEL = re.compile(r"\bMODEL\.(\w+)")


@cache
def source(name: str) -> str:
    """The text of one script, behind all that it includes."""
    return composed((_FOLDER / f"{name}.lua").read_text())


def composed(text: str) -> str:
    """A script behind what its lines `-- @include NAME` name, each once, of `lua/shared`."""
    found: dict[str, str] = {}
    _gather(text, found)
    whole = "".join([*found.values(), _INCLUDE.sub("", text)])
    return _MODEL.sub(lambda match: _model()[match[1]], whole)


def _gather(text: str, found: dict[str, str]) -> None:
    for name in _INCLUDE.findall(text):
        if name not in found:
            shared = (_FOLDER / "shared" / f"{name}.lua").read_text()
            _gather(shared, found)
            found[name] = _INCLUDE.sub("", shared)


@cache
def _model() -> dict[str, str]:
    """What scripts know of the states: Lua's tables of the moves, and of the states left by any."""
    moves = [f"{state}>{to}" for state, following in TRANSITIONS.items() for to in following]
    return {
        "MOVES": _table([*moves, f">{BEGINS}"]),
        "OPEN": _table([state for state in TRANSITIONS if not state.final]),
    }


def _table(names: list[Any]) -> str:
    return "{" + ", ".join(f"['{name}'] = true" for name in sorted(names)) + "}"


Command = tuple[str | int | float, ...]


@cache
def _sha(name: str) -> str:
    return sha1(source(name).encode(), usedforsecurity=False).hexdigest()


def command(name: str, *arguments: str | float) -> Command:
    """Running one script as a command, for a server that has it already."""
    return ("EVALSHA", _sha(name), 0, *arguments)


def whole(known: Command, name: str) -> Command:
    """The same command for a server that doesn't have the script."""
    return ("EVAL", source(name), *known[2:])


class Scripts:
    """Runs scripts by name; each is sent whole only to a server that doesn't have it yet."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts: dict[str, Script] = {}

    def __call__(self, name: str, *arguments: str | float) -> Any:  # noqa: ANN401 - as the script
        """Run one script; its answer as Redis gives it."""
        return self._script(name)(keys=[], args=arguments)

    def along(self, pipe: Any, name: str, *arguments: str | float) -> None:  # noqa: ANN401 - redis-py's
        """Run one script as part of a pipeline."""
        self._script(name)(keys=[], args=arguments, client=pipe)

    def _script(self, name: str) -> Script:
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = self._redis.register_script(source(name))
        return script
