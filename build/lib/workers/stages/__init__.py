"""The table of contents: what happens to an order, in this order.

Each stage is the function `run` of the module of its name, imported only where it is run, so
that the web process can read this table without boto3 or Docker.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from workers.order import Order

if TYPE_CHECKING:
    from workers.stages.context import Context


class Stage(NamedTuple):
    """One stage: its name, the queue of workers that can do it, and which other orders have it."""

    name: str
    queue: str
    checks: bool = False
    rollbacks: bool = False

    @property
    def run(self) -> Callable[["Context"], str | None]:
        """The stage's work: raises a RunError, or returns what it did in a few words."""
        work: Callable[[Context], str | None] = import_module(f"workers.stages.{self.name}").run
        return work


STAGES = (
    Stage("checkout", queue="build", checks=True),
    Stage("test", queue="build", checks=True),
    Stage("analyze", queue="build", checks=True),
    Stage("build", queue="build", checks=True),
    Stage("publish", queue="build"),
    Stage("deploy", queue="deploy", rollbacks=True),
    Stage("verify", queue="deploy"),
    Stage("approve", queue="deploy"),
    Stage("release", queue="deploy", rollbacks=True),
)
BY_NAME = {stage.name: stage for stage in STAGES}


def stages_of(order: Order) -> tuple[str, ...]:
    """The names of the stages that an order goes through."""
    wanted = {
        "check": [stage for stage in STAGES if stage.checks],
        "deploy": STAGES,
        "rollback": [stage for stage in STAGES if stage.rollbacks],
    }
    return tuple(stage.name for stage in wanted[order.purpose])
