"""The table of contents: what happens to an order, in this order.

A stage's work raises a RunError, or returns what it did in a few words. The other columns (queue,
check or deploy, commit status, point of no return) stand beside the names in the ledger's model.
"""

from collections.abc import Callable, Mapping

from workers.attempt.context import Context
from workers.ledger.model import stages
from workers.ledger.model.stages import Stage
from workers.stages import (
    analyze,
    approve,
    build,
    checkout,
    deploy,
    publish,
    release,
    test,
    verify,
)

Work = Callable[[Context], str | None]
Row = tuple[Stage, Work]

STAGES: tuple[Row, ...] = (
    (stages.CHECKOUT, checkout.run),
    (stages.TEST, test.run),
    (stages.ANALYZE, analyze.run),
    (stages.BUILD, build.run),
    (stages.PUBLISH, publish.run),
    (stages.DEPLOY, deploy.run),
    (stages.VERIFY, verify.run),
    (stages.APPROVE, approve.run),
    (stages.RELEASE, release.run),
)


def bound(rows: tuple[Row, ...]) -> Mapping[str, Work]:
    """Returns each stage's work by its name.

    Raises:
        ImportError: the rows are not the model's stages, each once, in their order.
    """
    named = tuple(stage for stage, _ in rows)
    if named != stages.STAGES:
        found = ", ".join(stage.name for stage in named)
        raise ImportError(f"the stages here are not those of the ledger's model: {found}")
    return {stage.name: work for stage, work in rows}


WORK = bound(STAGES)
