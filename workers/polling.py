"""Asks GitHub for what its webhooks failed to tell: GitHub never sends a lost one again."""

import structlog

from workers.errors import RunError
from workers.github.deliveries import redeliver
from workers.pruning import prune
from workers.run import Run
from workers.source.address import allowed
from workers.source.git import Git
from workers.source.mirror import head
from workers.stages import STAGES, stages_of
from workers.workshop import Workshop

log = structlog.get_logger()

LONGEST_SECONDS = 900


def poll(shop: Workshop) -> None:
    """Have failed deliveries sent again, compare branches' heads with what was accepted, tidy."""
    with shop.ledger.alone("poll", LONGEST_SECONDS) as alone:
        if alone:
            _poll(shop)
    # A worker that only builds need not reach AWS.
    if "deploy" in shop.settings.queues:
        prune(shop)


def _poll(shop: Workshop) -> None:
    deployed = list(shop.ledger.history.deployed())
    for repository in sorted({run.order.repository for run in deployed}):
        _redeliver(shop, repository)
    for run in deployed:
        _look(shop, run)


def _redeliver(shop: Workshop, repository: str) -> None:
    if not shop.github.configured:
        return
    try:
        count = redeliver(shop.github, repository, f"{shop.settings.url}/webhooks/github")
    except RunError as error:
        # It takes an administrator's rights, which a good token need not have.
        log.info("deliveries_unknown", repository=repository, error=str(error))
    else:
        if count:
            log.warning("lost_deliveries_sent_again", repository=repository, count=count)


def _look(shop: Workshop, run: Run) -> None:
    try:
        commit = _head(shop, run)
    except RunError as error:
        log.warning("poll_failed", repository=run.order.repository, error=str(error))
        return
    environment = shop.operator.environment_for(run.order.branch)
    if environment is None or commit is None or commit == run.order.commit:
        return
    found = run.order.model_copy(
        update={"commit": commit, "environment": environment.name, "pull_request": None}
    )
    accepted = shop.ledger.accept(found, f"poll:{found.key}", stages_of(found), STAGES[0].queue)
    if accepted.fresh:
        log.warning("lost_push_found", run=accepted.run_id, repository=found.repository)


def _head(shop: Workshop, run: Run) -> str | None:
    """The head of a branch that the operator still deploys."""
    order = run.order
    if shop.operator.repository(order.repository) is None:
        return None
    allowed(order.clone_url, shop.settings.github_api_url, shop.operator.git_hosts)
    git = Git(shop.settings.data_dir, None, shop.network)
    return head(git, order.clone_url, order.branch, shop.github.credentials(order.repository))
