"""What the branches of an environment's repositories are at."""

from collections.abc import Mapping

from config.together import together
from workers.ledger.model.errors import OurError, RunError
from workers.ledger.model.observation import Head
from workers.ledger.model.run import Run
from workers.source.address import allowed, usual
from workers.source.git import Git
from workers.source.mirror import head
from workers.workshop import Workshop

Branch = tuple[str, str]
"""A repository and one of its branches."""


def head_of(shop: Workshop, run: Run) -> str | None:
    """The head of a run's branch, which the operator still deploys; None if there is none.

    Raises:
        RunError: GitHub can't be asked.
    """
    order = run.order
    if shop.operator.repository(order.repository) is None:
        return None
    url = clone_url_of(shop, run)
    git = Git(shop.settings.data_dir, None, shop.network)
    return head(git, url, order.branch, shop.github.credentials(order.repository))


def clone_url_of(shop: Workshop, run: Run) -> str:
    """Where a run's repository is fetched from."""
    order, api_url = run.order, shop.settings.github_api_url
    try:
        allowed(order.clone_url, api_url, shop.operator.git_hosts)
    except OurError:
        # It was refused then, and would be for ever: the branch is where the API's server has it.
        return usual(order.repository, api_url)
    return order.clone_url


def heads(shop: Workshop, environment: str, known: Mapping[Branch, str | None]) -> tuple[Head, ...]:
    """The heads of the branches that have ever deployed to an environment.

    What is `known` is not asked for again.
    """
    branches = shop.operator.environments[environment].branch
    runs = [run for run in shop.ledger.history.deployed() if run.order.branch in branches]
    ours = [run for run in runs if shop.operator.repository(run.order.repository)]
    return tuple(together(lambda run: _head(shop, run, known), ours))


def _head(shop: Workshop, run: Run, known: Mapping[Branch, str | None]) -> Head:
    order = run.order
    found = Head(
        repository=order.repository, repository_id=order.repository_id, branch=order.branch
    )
    name = (order.repository, order.branch)
    if name in known:
        return found.model_copy(update={"commit": known[name]})
    try:
        return found.model_copy(update={"commit": head_of(shop, run)})
    except RunError as error:
        return found.model_copy(update={"fault": str(error)})
