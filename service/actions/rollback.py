"""Going back to what an environment ran before: no build, seconds, and held afterwards."""

from time import monotonic, sleep
from typing import Annotated

import structlog
from pydantic import BaseModel, ConfigDict, Field

from service.actions.operated import operated
from service.actions.refusal import Refused
from service.web import Web
from workers.ledger import keys
from workers.ledger.locks import Lock
from workers.ledger.model.order import Order, Rollback
from workers.ledger.model.rollback import AmbiguousError, Target, UnknownError, find
from workers.ledger.model.run import Run, StageState
from workers.ledger.model.stages import BY_NAME, stages_of

log = structlog.get_logger()

LOOK_SECONDS = 3.0
"""How long the answer waits to hear whether the packages are still there."""


Text = Annotated[str, Field(min_length=1, max_length=300)]


class Wanted(BaseModel):
    """Back to which commit: its id, how it begins, or "previous"; of which repository, and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    to: Text
    function: Text | None = None
    repository: Text | None = None
    reason: str = Field("", max_length=500)


def back(web: Web, name: str, who: str, wanted: Wanted) -> Run:
    """Roll an environment back for somebody; its run.

    Raises:
        Refused: 400 (no commit), 403, 404 (never released there), 409 (several are meant), 410 (its
            packages are gone) or 423 (locked).
    """
    operated(web, name, who)
    _unlocked(name, web.ledger.locks.of(name))
    target = _target(web, name, wanted)
    reason = " ".join(wanted.reason.split())
    order = Order(
        **target.source.model_dump(),
        commit=target.commit,
        purpose="rollback",
        environment=name,
        sender=who,
        rollback=Rollback(function=wanted.function and target.releases[0].function, reason=reason),
    )
    return accept(web, order, target)


def accept(web: Web, order: Order, target: Target) -> Run:
    """Take a rollback on; its run, once it is known whether the packages are still there."""
    stages = stages_of(order)
    answer = web.ledger.locks.rollback(
        order, stages, BY_NAME[stages[0]].queue, target.model_dump_json(), target.releases
    )
    _unlocked(order.environment or "", answer.refused)
    log.info(
        "rollback_accepted",
        environment=order.environment,
        by=order.sender,
        commit=order.commit,
        run=answer.run_id,
        fresh=answer.fresh,
    )
    return _looked(web, answer.run_id)


def _unlocked(name: str, lock: Lock | None) -> None:
    if lock is not None and lock.kind == "lock":
        raise Refused(
            423, f"{lock.told(name)}. Unlock it first: `slipway unlock {name} --no-release`."
        )


def _target(web: Web, name: str, wanted: Wanted) -> Target:
    rows = web.ledger.history.released(name, 0, keys.RELEASES_KEPT)
    try:
        target = find(rows, wanted.to, repository=wanted.repository, function=wanted.function)
    except ValueError as error:
        raise Refused(400, f"to: {error}") from None
    except UnknownError as error:
        raise Refused(
            404, f"{error}. `GET /api/v1/environments/{name}/releases` lists what was."
        ) from None
    except AmbiguousError as error:
        raise Refused(409, f"{error}.") from None
    if web.operator.repository(target.source.repository) is None:
        raise Refused(403, f"{target.source.repository} is no longer in the operator's file.")
    return target


def _looked(web: Web, run_id: str) -> Run:
    """The run, after its worker has looked for the packages; refused with 410 if one is gone."""
    deadline = monotonic() + LOOK_SECONDS
    while True:
        run = web.ledger.history.run(run_id)
        if run is None:
            raise Refused(404, "The run is no longer kept.")
        found = run.stages[0].state is StageState.SUCCEEDED
        if found or run.state.final or monotonic() > deadline:
            break
        sleep(0.05)
    if run.state.final and web.ledger.history.fields(run_id, "gone") == ["yes"]:
        raise Refused(410, f"{run.error}. Nothing was changed.")
    return run


def repeated(web: Web, run: Run, who: str) -> Run:
    """A rollback that ended without success, once more; refused as `back`."""
    operated(web, run.order.environment or "", who)
    (targets,) = web.ledger.history.fields(run.id, "targets")
    order = run.order.model_copy(update={"sender": who})
    return accept(web, order, Target.model_validate_json(targets or "{}"))
