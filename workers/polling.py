"""Asks GitHub for what its webhooks failed to tell: GitHub never sends a lost one again."""

import structlog

from workers.errors import RunError
from workers.run import Run
from workers.source.git import Git
from workers.source.mirror import head
from workers.stages import STAGES, stages_of
from workers.workshop import Workshop

log = structlog.get_logger()


def poll(shop: Workshop) -> None:
    """Compare the head of each branch that was ever deployed with what was accepted."""
    for run in shop.ledger.history.newest():
        if run.order.purpose != "deploy":
            continue
        try:
            _look(shop, run)
        except RunError as error:
            log.warning("poll_failed", repository=run.order.repository, error=str(error))


def _look(shop: Workshop, run: Run) -> None:
    order = run.order
    environment = shop.operator.environment_for(order.branch)
    if environment is None or shop.operator.repository(order.repository) is None:
        return
    git = Git(shop.settings.data_dir, None, shop.network)
    token = shop.github.credentials(order.repository)
    commit = head(git, order.clone_url, order.branch, token)
    if commit is None or commit == order.commit:
        return
    found = order.model_copy(
        update={"commit": commit, "environment": environment.name, "pull_request": None}
    )
    accepted = shop.ledger.accept(found, f"poll:{found.key}", stages_of(found), STAGES[0].queue)
    if accepted.fresh:
        log.warning("lost_push_found", run=accepted.run_id, repository=order.repository)
