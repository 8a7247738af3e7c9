"""Asks GitHub for what its webhooks failed to tell: GitHub never sends a lost one again."""

import structlog

from workers.drift.heads import Branch, clone_url_of, head_of
from workers.drift.watch import watch
from workers.github.deliveries import redeliver
from workers.ledger.accept import POLL
from workers.ledger.heads import Heads
from workers.ledger.model.errors import RunError
from workers.ledger.model.order import Order
from workers.ledger.model.run import Run
from workers.ledger.model.stages import STAGES, stages_of
from workers.ledger.upkeep import Upkeep
from workers.upkeep.lost_runs import settle
from workers.upkeep.prune import prune
from workers.workshop import Workshop

log = structlog.get_logger()

LONGEST_SECONDS = 900


def poll_in_turn(shop: Workshop, period: float) -> None:
    """Poll, unless that was begun within half a period: each beat that starts asks for it."""
    book = Upkeep(shop.ledger.redis)
    if book.since("poll") < period / 2:
        return
    book.begin("poll")
    poll(shop)


def poll(shop: Workshop) -> None:
    """Have failed deliveries sent again, compare branches' heads with what was accepted, tidy."""
    heads: dict[Branch, str | None] = {}
    with shop.ledger.alone("poll", LONGEST_SECONDS) as alone:
        if alone:
            heads = _poll(shop)
    # A worker that only builds need not reach AWS.
    if alone and "deploy" in shop.settings.queues:
        watch(shop, heads)
        prune(shop)


def _poll(shop: Workshop) -> dict[Branch, str | None]:
    deployed = list(shop.ledger.history.deployed())
    for repository in sorted({run.order.repository for run in deployed}):
        _redeliver(shop, repository)
    found: dict[Branch, str | None] = {}
    for run in deployed:
        _look(shop, run, found)
    settle(shop)
    return found


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


def _look(shop: Workshop, run: Run, found: dict[Branch, str | None]) -> None:
    try:
        commit = found[run.order.repository, run.order.branch] = head_of(shop, run)
    except RunError as error:
        log.warning("poll_failed", repository=run.order.repository, error=str(error))
        return
    order = run.order
    Heads(shop.ledger.redis).told(
        order.repository_id, order.repository, order.branch, commit, sure=True
    )
    environment = shop.operator.environment_for(run.order.branch)
    if environment is None or commit is None or commit == run.order.commit:
        return
    # Who pushed it is not known: git does not tell, and who pushed before is somebody else.
    missed = Order(
        repository=run.order.repository,
        repository_id=run.order.repository_id,
        clone_url=clone_url_of(shop, run),
        ref=run.order.ref,
        commit=commit,
        purpose="deploy",
        environment=environment.name,
    )
    # Once for each move of the branch: a head whose run has failed is not run again by every poll.
    found_as = f"{POLL}{run.id}:{missed.key}"
    accepted = shop.ledger.accept(missed, found_as, stages_of(missed), STAGES[0].queue)
    if accepted.fresh:
        log.warning("lost_push_found", run=accepted.run_id, repository=missed.repository)
