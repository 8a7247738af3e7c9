"""New code, new version: what an alias can move to, without anybody noticing yet."""

from config.together import together
from workers.attempt import branch
from workers.attempt.context import Context
from workers.aws import artifacts, functions
from workers.aws.entry import Entry
from workers.ledger.model.errors import OurError
from workers.ledger.model.released import Released
from workers.ledger.model.run import Release
from workers.stages import ownership, shared_version
from workers.stages.deploy import republish

FRESH_SECONDS = 10.0
REMEMBERED = 30 * 86400.0
"""Seconds for which a commit counts as one that somebody has begun to publish."""


def run(context: Context) -> str:
    """Publish a version of every function, each under its function's lock."""
    ownership.check(context)
    if context.order.purpose == "rollback":
        return republish.deploy(context)
    names = sorted(context.pipeline.functions)

    def deploy(function: str) -> Release:
        # All branches share $LATEST: whoever writes code and publishes it does both under the lock.
        with context.lease.locked(context.function_lock(function)):
            return _unchanged(context, function) or _deploy(context, function)

    releases = together(deploy, names)
    context.lease.releases(releases)
    places = [context.place(name) for name in names]
    before = dict(zip(names, context.shop.ledger.history.lives(places), strict=True))
    return ", ".join(_words(release, before[release.function]) for release in releases)


def _words(release: Release, before: Released | None) -> str:
    if before and release.version == before.version:
        return f"{release.function} unchanged"
    return f"{release.function} version {release.version}"


def _unchanged(context: Context, function: str) -> Release | None:
    """What is live already, when it is the package that this run would deploy."""
    expected = context.hashes()[function]
    live = context.shop.ledger.history.live(context.place(function))
    if live is None or live.sha256 != expected or not live.version:
        return None
    version = live.version
    if not functions.holds(context.aws, function, version, expected, _entry(context, function)):
        return None
    alias = context.environment.alias
    context.say(
        f"deploy/{function}", f"unchanged: {alias} runs this package already, version {version}"
    )
    known = live.commits or (live.commit,)
    return shared_version.release(context, function, version, expected, known)


def _deploy(context: Context, function: str) -> Release:
    commit = context.order.commit
    # The publish stage has asked, unless this visit comes later: a lock, AWS's outage, another try.
    branch.demand(context, f"deploy/{function}", fresh=FRESH_SECONDS)
    artifact = artifacts.find(context.aws, context.bucket, function, commit)
    if artifact is None:
        raise OurError(
            f"{artifacts.key_of(function, commit)} is gone from {context.bucket}: retry the run"
        )
    expected = context.hashes()[function]
    if artifact.sha256 != expected:
        raise OurError(
            f"{artifacts.key_of(function, commit)} is not the package that was built "
            f"({artifact.sha256} instead of {expected}): somebody replaced it; nothing was deployed"
        )
    version = functions.deploy(
        context.aws,
        function,
        artifact,
        commit,
        watch=context.lease.check,
        say=lambda line: context.say(f"deploy/{function}", line.removeprefix(f"{function}: ")),
        fresh=_fresh(context, function),
        entry=_entry(context, function),
    )
    if version.commit == commit:
        context.say(f"deploy/{function}", f"version {version.number} is commit {commit[:7]}")
    known = [version.commit]
    return shared_version.release(context, function, version.number, artifact.sha256, known)


def _entry(context: Context, function: str) -> Entry:
    asked = context.pipeline.functions[function]
    return Entry(asked.runtime, asked.handler)


def _fresh(context: Context, function: str) -> bool:
    """Whether this is the first attempt of all to publish the commit; a lost worker's counts.

    Where the ledger has forgotten, AWS gets a second version of the same package, which harms none.
    """
    what = f"version:{context.aws.home(function)}/{function}/{context.order.commit}"
    return context.shop.ledger.once(what, REMEMBERED)
