"""A git tree whose checks passed is not tested again."""

from pydantic import BaseModel, ConfigDict

from config.pipeline import Test
from workers.attempt.context import Context, recorded
from workers.ledger import keys
from workers.ledger.model.run import CheckRecord

DAY_SECONDS = 86400


class Verdict(BaseModel):
    """The checks that passed on a tree, and the run and commit that they passed in."""

    model_config = ConfigDict(frozen=True)

    run: str
    commit: str
    checks: tuple[CheckRecord, ...]


def take(context: Context, test: Test) -> str | None:
    """Take over the verdict of an earlier run of the same tree; a few words, None without one."""
    text = context.shop.ledger.history.kept(_key(context)) if _wanted(context, test) else None
    if text is None:
        return None
    verdict = Verdict.model_validate_json(text)
    if {one.name for one in verdict.checks} != set(test.checks):
        return None
    checks = (one.model_copy(update={"run": verdict.run}) for one in verdict.checks)
    context.lease.checks(checks)
    context.say(
        "test",
        f"not tested again: tree {_tree(context)[:7]} passed in run {verdict.run} "
        f"(commit {verdict.commit[:7]}); `reuse = false` in [test] would test it anew",
    )
    count = f"{len(verdict.checks)} check{'s' * (len(verdict.checks) != 1)}"
    return f"{count} passed for the same tree in run {verdict.run[:8]}"


def remember(context: Context, test: Test, checks: tuple[CheckRecord, ...]) -> None:
    """Leave a verdict, all checks having passed, for later runs of the same tree."""
    if not _wanted(context, test):
        return
    verdict = Verdict(run=context.run.id, commit=context.order.commit, checks=checks)
    seconds = context.shop.settings.reuse_days * DAY_SECONDS
    context.lease.keep(_key(context), verdict, seconds)


def _wanted(context: Context, test: Test) -> bool:
    if not context.shop.settings.reuse_days:
        return False
    if test.reuse is not None:
        return test.reuse
    # What a check finds out there is not in the tree.
    return not any(
        test.network if check.network is None else check.network for check in test.checks.values()
    )


def _key(context: Context) -> str:
    return keys.tested(context.order.repository_id, _tree(context))


def _tree(context: Context) -> str:
    return recorded(context.notes().tree, "tree")
