"""Running the same order once more."""

from service.actions import rollback
from service.actions.refusal import Refused
from service.web import Web
from workers.ledger import Accepted
from workers.ledger.model.run import Run, State
from workers.ledger.model.stages import STAGES, stages_of


def repeat(web: Web, run: Run, who: str) -> Accepted:
    """A new run of the same order, for somebody.

    Raises:
        Refused: 409 where there can be none, and as `rollback.back`.
    """
    if not run.state.final or run.state is State.SUCCEEDED:
        raise Refused(409, f"The run is {run.state}; only one that ended without success repeats.")
    if run.order.rollback:
        return Accepted(rollback.repeated(web, run, who).id, fresh=True)
    accepted = web.ledger.accept(
        run.order, "", stages_of(run.order), STAGES[0].queue, instead_of=run.id
    )
    if not accepted.fresh:
        raise Refused(409, f"Run {accepted.run_id} has taken its place already.")
    web.ledger.note(accepted.run_id, "slipway", f"{who} asked for run {run.id} once more")
    return accepted
