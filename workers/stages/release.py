"""The one moment users notice: the aliases of a run's functions move together, or none does."""

import json
from dataclasses import asdict

from workers.aws import aliases
from workers.aws.aliases import Alias
from workers.aws.faults import ChangedError
from workers.errors import RunError, SupersededError, UserError
from workers.run import Release
from workers.source.mirror import head
from workers.source.snapshot import Relation
from workers.stages.context import Context

TRIES = 5


def run(context: Context) -> str:
    """Move each function's alias to the version that this run published."""
    alias = context.environment.alias
    releases = context.releases()
    _remember(context, releases, alias)
    moved: list[Release] = []
    try:
        for release in releases:
            moved.append(release)
            _move(context, release, alias)
    except RunError:
        _put_back(context, moved, alias)
        raise
    done = [release.model_copy(update={"alias": alias}) for release in releases]
    for release in done:
        context.lease.live(_place(context, release), release, context.order)
    context.lease.releases(done)
    versions = ", ".join(f"{r.function} {r.version}" for r in releases)
    return f"{alias} runs {versions}"


def _place(context: Context, release: Release) -> str:
    return f"{context.aws.region}/{release.function}/{context.environment.alias}"


def _commit(context: Context, release: Release, live: Alias) -> str | None:
    """What the alias runs: our record knows better than the version, which may be shared."""
    record = context.shop.ledger.history.live(_place(context, release))
    return record["commit"] if record.get("version") == live.version else live.commit


def _remember(context: Context, releases: tuple[Release, ...], alias: str) -> None:
    """Decide for all before the first moves, and write down what was live, for a successor."""
    live = {r.function: aliases.read(context.aws, r.function, alias) for r in releases}
    for release in releases:
        _judge(context, release, live[release.function])
    if context.field("before") is None:
        before = {function: asdict(found) if found else None for function, found in live.items()}
        context.lease.write(before=json.dumps(before))


def _move(context: Context, release: Release, alias: str) -> None:
    """Compare and set; whoever loses the race reads again and decides again."""
    for attempt in range(TRIES):
        context.lease.check()
        live = aliases.read(context.aws, release.function, alias)
        _judge(context, release, live)
        try:
            aliases.move(context.aws, release.function, alias, release.version or "", live)
        except ChangedError:
            if attempt == TRIES - 1:
                raise
        else:
            was = f"version {live.version}" if live else "nothing"
            context.say(
                f"release/{release.function}", f"{alias}: {was} → version {release.version}"
            )
            return


def _judge(context: Context, release: Release, live: Alias | None) -> None:
    """Order is ancestry: an alias never goes back to an older commit by itself."""
    if live is None:
        return
    commit = _commit(context, release, live)
    relation = context.relation(commit) if commit else Relation.UNKNOWN
    if relation in (Relation.SAME, Relation.NEWER):
        return
    where = f"{release.function}:{context.environment.alias}"
    if relation is Relation.OLDER:
        raise SupersededError(f"{where} already runs the newer commit {str(commit)[:7]}")
    if commit is None:
        context.say("release", f"{where} runs version {live.version}, which names no commit")
    _demand_head(context, f"{where} runs {commit[:7] if commit else f'version {live.version}'}")


def _demand_head(context: Context, found: str) -> None:
    """What is live is no ancestor of ours (a force-push): only the branch's head may replace it."""
    order = context.order
    if head(context.git, order.clone_url, order.branch, context.token) != order.commit:
        raise UserError(
            f"{found}, which is no ancestor of {order.commit[:7]}, and {order.commit[:7]} is no "
            f"longer the head of {order.branch}: push what should be live"
        )


def _put_back(context: Context, moved: list[Release], alias: str) -> None:
    """Undo what has moved, so that all functions run what they ran before."""
    text = context.field("before")
    before = json.loads(text) if text else {}
    for release in reversed(moved):
        known = before.get(release.function)
        was = Alias(**known) if known else None
        name, version = release.function, release.version or ""
        try:
            aliases.put_back(context.aws, name, alias, was, version)
        except RunError as error:
            # The others still go back; what started this is what the run ends with.
            context.say(f"release/{name}", f"{alias} may still run version {version}: {error}")
        else:
            context.say(f"release/{name}", f"{alias}: back to what it was")
