"""The names of the stages, in their order, and which orders go through which."""

from typing import NamedTuple

from workers.ledger.model.order import Order


class Stage(NamedTuple):
    """One stage: its name, the queue of workers that can do it, and which other orders have it."""

    name: str
    queue: str
    checks: bool = False
    rollbacks: bool = False


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
