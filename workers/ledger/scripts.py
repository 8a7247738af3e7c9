"""The ledger's atomic steps: one Lua script each, on Redis's own clock."""

from functools import cache
from importlib.resources import files
from typing import Any

from redis import Redis
from redis.commands.core import Script

_FOLDER = files("workers.ledger") / "lua"


@cache
def source(name: str) -> str:
    """The text of one script, with the common part before it."""
    common = (_FOLDER / "common.lua").read_text()
    return common + (_FOLDER / f"{name}.lua").read_text()


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
