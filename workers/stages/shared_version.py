"""A version stands for several commits where their packages are the same, as those of one tree."""

from collections.abc import Iterable

from workers.attempt.context import Context
from workers.ledger.model.run import Release
from workers.ledger.upkeep import Upkeep


def release(
    context: Context, function: str, version: str, sha256: str, known: Iterable[str | None]
) -> Release:
    """What the run makes live, its version known as Slipway's, with all commits it stands for.

    `known` are commits that it is known to stand for, the one that it bears in AWS first.
    """
    home, ours = context.aws.home(function), context.order.commit
    others = Upkeep(context.shop.ledger.redis).commits(home, function, version, sha256)
    context.published(function, version, ours, sha256)
    commits = tuple(dict.fromkeys(filter(None, (*known, *others, ours))))
    shared = commits if len(commits) > 1 else ()
    if shared:
        context.say(f"deploy/{function}", f"version {version} stands for commits {listed(shared)}")
    return Release(function=function, version=version, sha256=sha256, commits=shared)


def listed(commits: Iterable[str]) -> str:
    """Commits as people write them."""
    return ", ".join(commit[:7] for commit in commits)
