"""The stages in their order: which orders go through which, on which queue, under which status."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from workers.ledger.model.order import Order

Context = Literal["test", "build", "deploy"]


class Stage(NamedTuple):
    """One stage: its name, the queue of workers that can do it, and what else depends on it.

    `checks`, `rollbacks`: orders other than deploys that have it, too. `status`: the commit status
    that covers it, `speaks`: its summary is that status's text when all went well. `yields`: a
    newer commit of the branch may take the run's place before it. `deploys`: past the point from
    which a run has to be interrupted or undone, since it is at the environment.
    """

    name: str
    queue: Literal["build", "deploy"]
    status: Context
    checks: bool = False
    rollbacks: bool = False
    speaks: bool = False
    yields: bool = False
    deploys: bool = False


# The checkout yields to nobody: it judges where commits may be fetched from.
CHECKOUT = Stage("checkout", "build", "test", checks=True)
TEST = Stage("test", "build", "test", checks=True, speaks=True, yields=True)
ANALYZE = Stage("analyze", "build", "test", checks=True, speaks=True, yields=True)
BUILD = Stage("build", "build", "build", checks=True, speaks=True, yields=True)
PUBLISH = Stage("publish", "build", "deploy", yields=True)
DEPLOY = Stage("deploy", "deploy", "deploy", rollbacks=True, deploys=True)
VERIFY = Stage("verify", "deploy", "deploy", deploys=True)
APPROVE = Stage("approve", "deploy", "deploy", deploys=True)
RELEASE = Stage("release", "deploy", "deploy", rollbacks=True, speaks=True, deploys=True)

STAGES = (CHECKOUT, TEST, ANALYZE, BUILD, PUBLISH, DEPLOY, VERIFY, APPROVE, RELEASE)

BY_NAME: Mapping[str, Stage] = {stage.name: stage for stage in STAGES}


def stages_of(order: Order) -> tuple[str, ...]:
    """The names of the stages that an order goes through."""
    wanted = {
        "check": [stage for stage in STAGES if stage.checks],
        "deploy": STAGES,
        "rollback": [stage for stage in STAGES if stage.rollbacks],
    }
    return tuple(stage.name for stage in wanted[order.purpose])
