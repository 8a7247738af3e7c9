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
    context.lease.releases(r.model_copy(update={"alias": alias}) for r in releases)
    versions = ", ".join(f"{r.function} {r.version}" for r in releases)
    return f"{alias} runs {versions}"


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
    if live is None or live.version == release.version:
        return
    ours = context.order.commit
    relation = context.relation(live.commit) if live.commit else Relation.UNKNOWN
    if relation in (Relation.SAME, Relation.NEWER):
        return
    where = f"{release.function}:{context.environment.alias}"
    if relation is Relation.OLDER:
        raise SupersededError(f"{where} already runs the newer commit {str(live.commit)[:7]}")
    if live.commit is None:
        context.say(
            "release", f"{where} runs version {live.version}, which names no commit of ours"
        )
    now = head(context.git, context.order.clone_url, context.order.branch, context.token)
    if now != ours:
        raise UserError(
            f"{where} runs {str(live.commit or live.version)[:7]}, which is no ancestor of "
            f"{ours[:7]}, and {ours[:7]} is no longer the head of {context.order.branch}: "
            "push what should be live"
        )


def _put_back(context: Context, moved: list[Release], alias: str) -> None:
    """Undo what has moved, so that all functions run what they ran before."""
    text = context.field("before")
    before = json.loads(text) if text else {}
    for release in reversed(moved):
        known = before.get(release.function)
        aliases.put_back(
            context.aws,
            release.function,
            alias,
            Alias(**known) if known else None,
            release.version or "",
        )
        context.say(f"release/{release.function}", f"{alias}: back to what it was")
