"""Settles what GitHub shows as pending of runs that the ledger has lost, such as with its disk."""

from typing import Any

import structlog

from workers.github.faults import RefusedError
from workers.github.statuses import post
from workers.github.survey import Place, Pull, Shown, Survey, Told
from workers.ledger.accept import POLL
from workers.ledger.model.errors import PassingError, RunError
from workers.ledger.model.order import Order, PullRequest
from workers.ledger.model.stages import STAGES, stages_of
from workers.ledger.upkeep import Upkeep
from workers.report.statuses import OF_A_CHECK
from workers.workshop import Workshop

log = structlog.get_logger()

DAY_SECONDS = 86400.0
HOUR_SECONDS = 3600.0
ROUND = "statuses"
"""What says that all repositories were looked at lately; it is lost together with the runs."""
MOST_ASKED = 300
"""Requests after which a poll leaves the other repositories to the next."""
LATEST_PULLS = 50
LATEST_COMMITS = 5
"""Of each branch: whoever is not its head any more was being superseded when it was lost."""
HELD = "Held"
LOST = (
    "Slipway's record of this run was lost: redeliver its webhook on GitHub, or push a new commit"
)
LOST_HELD = "Held when Slipway's record was lost: push a new commit, or redeliver its webhook"


def settle(shop: Workshop, survey: Survey | None = None) -> None:
    """Give each lost run's pending statuses a new run, or a last word; looked for once a day."""
    book = Upkeep(shop.ledger.redis)
    if not shop.github.configured or book.settled(ROUND):
        return
    survey, whole = survey or Survey(shop.github), True
    for name in _names(shop, survey):
        mark = f"{ROUND}:{name.lower()}"
        if book.settled(mark):
            continue
        if survey.asked >= MOST_ASKED:
            return
        try:
            _Lost(shop, survey, name).settle()
        except PassingError as error:
            whole = False
            log.warning("statuses_unknown", repository=name, error=str(error))
        except RunError as error:
            log.warning("statuses_unknown", repository=name, error=str(error))
            book.settle(mark, HOUR_SECONDS)
        else:
            book.settle(mark, DAY_SECONDS)
    if whole:
        book.settle(ROUND, HOUR_SECONDS)


def _names(shop: Workshop, survey: Survey) -> list[str]:
    """The repositories that the operator names; those of patterns, as ledger and GitHub know."""
    rules = [rule.name for rule in shop.operator.repositories]
    exact = [name for name in rules if not set("*?") & set(name)]
    found = {name.lower(): name for name in exact}
    for run in shop.ledger.history.deployed():
        found.setdefault(run.order.repository.lower(), run.order.repository)
    if len(exact) < len(rules):
        try:
            for place in survey.repositories():
                found.setdefault(place.full_name.lower(), place.full_name)
        except RunError as error:
            log.info("repositories_unknown", error=str(error))
    return [name for name in found.values() if shop.operator.repository(name)]


class _Lost:
    """The lost runs of one repository."""

    def __init__(self, shop: Workshop, survey: Survey, name: str) -> None:
        self._shop = shop
        self._survey = survey
        self._name = name
        self._pending: dict[str, list[Told]] = {}
        self._orders: dict[tuple[str, str], Order] = {}
        """What a commit is asked for again in a context."""

    def settle(self) -> None:
        """Look at branches and pull requests, then act."""
        place = self._survey.place(self._name)
        if place is None or self._shop.operator.repository(place.full_name) is None:
            return
        pulls = [one for one in self._survey.pulls(self._name, LATEST_PULLS) if one.own]
        self._branches(place, pulls)
        for pull in pulls:
            self._see(self._survey.shown(self._name, pull.head.sha))
            if pull.state == "open":
                self._check(place, pull)
        for sha, told in self._pending.items():
            for one in told:
                self._act(sha, one)

    def _branches(self, place: Place, pulls: list[Pull]) -> None:
        for environment in self._shop.operator.environments.values():
            for branch in environment.branch:
                head = self._see(self._survey.shown(self._name, f"heads/{branch}"))
                if head is None:
                    continue
                self._deploy(place, branch, environment.name, head, pulls)
                for sha in self._survey.latest(self._name, branch, LATEST_COMMITS):
                    if sha != head:
                        self._see(self._survey.shown(self._name, sha))

    def _see(self, shown: Shown | None) -> str | None:
        """Note which of a commit's statuses are of lost runs; the commit."""
        if shown is None:
            return None
        self._pending[shown.sha] = [one for one in shown.statuses if self._lost(one)]
        return shown.sha

    def _lost(self, told: Told) -> bool:
        """Whether it is pending, ours by its address, and of a run that nobody knows."""
        ours = f"{self._shop.settings.url}/runs/"
        if told.state != "pending" or not told.context.startswith("slipway/"):
            return False
        if not told.target_url.startswith(ours):
            return False
        return self._shop.ledger.history.run(told.target_url.removeprefix(ours)) is None

    def _deploy(
        self, place: Place, branch: str, environment: str, head: str, pulls: list[Pull]
    ) -> None:
        context = f"slipway/deploy/{environment}"
        order = self._order(
            place, f"refs/heads/{branch}", head, purpose="deploy", environment=environment
        )
        self._orders[head, context] = order
        for pull in pulls:
            if pull.merged_at and pull.merge_commit_sha == head and pull.base.ref == branch:
                merge = order.model_copy(update={"pull_request": self._pull(pull)})
                self._orders[head, context] = self._orders[pull.head.sha, context] = merge

    def _check(self, place: Place, pull: Pull) -> None:
        order = self._order(
            place,
            f"refs/heads/{pull.head.ref}",
            pull.head.sha,
            purpose="check",
            pull_request=self._pull(pull),
        )
        for name in OF_A_CHECK:
            self._orders[pull.head.sha, f"slipway/{name}"] = order

    def _order(
        self,
        place: Place,
        ref: str,
        commit: str,
        **asked: Any,  # noqa: ANN401 - as Order has it
    ) -> Order:
        return Order(
            repository=place.full_name,
            repository_id=place.id,
            clone_url=place.clone_url,
            ref=ref,
            commit=commit,
            **asked,
        )

    def _pull(self, pull: Pull) -> PullRequest:
        environment = self._shop.operator.environment_for(pull.base.ref)
        return PullRequest(
            number=pull.number,
            head=pull.head.sha,
            base=pull.base.ref,
            environment=environment.name if environment else None,
        )

    def _act(self, sha: str, told: Told) -> None:
        order = self._orders.get((sha, told.context))
        held = told.description.startswith(HELD)
        if order is None or held:
            # A lock was lost with the ledger, too: what it held back is not released by itself.
            self._say(sha, told.context, LOST_HELD if held else LOST)
            return
        # Once for each run that was lost; whoever was quicker has made the order anew already.
        lost = told.target_url.rpartition("/")[2]
        found_as = f"{POLL}lost:{lost}:{order.key}"
        accepted = self._shop.ledger.accept(order, found_as, stages_of(order), STAGES[0].queue)
        if accepted.fresh:
            log.warning("lost_run_begun_anew", run=accepted.run_id, repository=order.repository)

    def _say(self, sha: str, context: str, why: str) -> None:
        hub, url = self._shop.github, self._shop.settings.url
        said = {"context": context, "description": why, "target_url": url}
        try:
            post(hub, self._name, sha, state="error", **said)
        except RefusedError as error:
            log.warning("status_refused", context=context, error=str(error))
            return
        log.warning("lost_run_settled", repository=self._name, commit=sha, context=context)
