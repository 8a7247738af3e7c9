"""What an approver should see of a run: what is asked, who has spoken, until when."""

from typing import Any

from service.api.present import time
from service.web import Web
from workers.approval import VOTES, candidate
from workers.run import Run


def approval(web: Web, run: Run) -> dict[str, Any] | None:
    """The approval of a run, or None where its environment asks for none."""
    environment = web.operator.environments.get(run.order.environment or "")
    if environment is None or environment.approval is None:
        return None
    votes, packages, until = web.ledger.history.fields(run.id, "votes", "packages", "wakes_at")
    return {
        "required": environment.approval.required,
        "approvers": list(environment.approval.approvers),
        "votes": [
            vote.model_dump() | {"at": time(vote.at)} for vote in VOTES.validate_json(votes or "[]")
        ],
        "expires_at": time(until) if run.state == "waiting" else None,
        "commit": run.order.commit,
        "sha256": candidate(packages) if packages else None,
    }
