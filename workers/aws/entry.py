"""How a function is entered: what slipway.toml says of it, compared with what AWS has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.layers import LAYER, WRAPPERS
from workers.ledger.model.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
"""The variable that names a script which starts the runtime, and may put another handler in.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html
"""

CUSTOM = "provided"


@dataclass(frozen=True)
class Entry:
    """What slipway.toml says; None where it says nothing."""

    runtime: str | None = None
    handler: str | None = None


@dataclass(frozen=True)
class Function:
    """What AWS says; None where it says nothing, as of a container image."""

    runtime: str | None = None
    handler: str | None = None
    layers: Sequence[str] = ()
    variables: Mapping[str, str] | None = None

    @classmethod
    def of(cls, config: FunctionConfigurationTypeDef) -> Function:
        """A function or version as GetFunction shows it."""
        return cls(
            runtime=config.get("Runtime"),
            handler=config.get("Handler"),
            layers=tuple(layer.get("Arn", "") for layer in config.get("Layers") or ()),
            variables=(config.get("Environment") or {}).get("Variables"),
        )

    @property
    def wrapped(self) -> bool:
        """Whether its handler is one that a layer brings, which calls another one."""
        if not self.layers or not self.handler:
            return False
        module = self.handler.replace("/", ".").split(".")[0].lower()
        names = [arn.split(":layer:")[-1].split(":")[0].lower() for arn in self.layers]
        return (
            self.handler.startswith(LAYER)
            or bool((self.variables or {}).get(EXEC_WRAPPER))
            or module.startswith(WRAPPERS)
            or any(module and name.startswith(module) for name in names)
        )

    def names(self, handler: str) -> bool:
        """Whether a variable hands that handler to a wrapper, as `DD_LAMBDA_HANDLER` does."""
        return bool(self.layers) and handler in (self.variables or {}).values()


def judge(name: str, entry: Entry, found: Function) -> str | None:
    """Let what slipway.toml says of a function pass if AWS has the same; a warning, or None.

    Raises:
        UserError: the runtime or the handler is another one, so the code would not start.
    """
    if entry.runtime and found.runtime and entry.runtime != found.runtime:
        raise UserError(_differs(name, "runtime", entry.runtime, found.runtime))
    if not entry.handler or not found.handler or entry.handler == found.handler:
        return None
    both = f"slipway.toml says handler {entry.handler!r}, and the function has {found.handler!r}"
    if found.wrapped or found.names(entry.handler):
        return (
            f"warning: {both}, which looks like a wrapper that a layer brings: see that it calls "
            "the one of slipway.toml"
        )
    if (found.runtime or "").startswith(CUSTOM):
        return f"warning: {both}; what {found.runtime} makes of a handler is its own affair"
    raise UserError(_differs(name, "handler", entry.handler, found.handler))


def same(entry: Entry, found: Function) -> bool:
    """Whether nothing that slipway.toml says of a function is another way."""
    try:
        judge("", entry, found)
    except UserError:
        return False
    return True


def _differs(name: str, what: str, ours: str, theirs: str) -> str:
    return (
        f"{name}: slipway.toml says {what} {ours!r}, and the function has {theirs!r}: correct "
        f"slipway.toml, or have whoever manages the function (terraform) set its {what}, then "
        "retry the run; nothing was changed"
    )
