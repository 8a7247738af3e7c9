"""The one moment users notice: the aliases of a run's functions move together, or none does."""

import json
from dataclasses import asdict

from workers.aws import aliases
from workers.aws.aliases import Alias
from workers.aws.faults import ChangedError
from workers.errors import RunError
from workers.run import Release
from workers.stages import gateway, rollout, rollout_record, site
from workers.stages.ancestry import judge
from workers.stages.context import Context
from workers.stages.rollout_record import place

TRIES = 5


def run(context: Context) -> str:
    """Move each function's alias to the version that this run published, and switch the site."""
    with rollout.guarded(context):
        rollout.bake(context, _judge)
        with site.held(context):
            summary = _release(context)
        return "; ".join(filter(None, (summary, site.announce(context))))


def _release(context: Context) -> str:
    alias = context.environment.alias
    releases = context.releases()
    _remember(context, releases, alias)
    functions = [release.function for release in releases]
    unpermitted = gateway.permit(context, functions)
    moved: list[Release] = []
    try:
        for release in releases:
            moved.append(release)
            _move(context, release, alias)
        gateway.permit(context, unpermitted)
        gateway.prepare(context)
        site.switch(context)
    except RunError:
        if not rollout_record.under_way(context):
            _put_back(context, moved, alias)
        raise
    done = [release.model_copy(update={"alias": alias}) for release in releases]
    for release in done:
        context.lease.live(place(context, release.function), release, context.order)
    context.lease.releases(done)
    versions = ", ".join(f"{r.function} {r.version}" for r in releases)
    return f"{alias} runs {versions}" if versions else ""


def _commit(context: Context, release: Release, live: Alias) -> str | None:
    """What the alias runs: our record knows better than the version, which may be shared."""
    record = context.shop.ledger.history.live(place(context, release.function))
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
        rollout.admit(context, release, live)
        try:
            aliases.move(context.aws, release.function, alias, release.version or "", live)
        except ChangedError:
            if attempt == TRIES - 1:
                raise
        else:
            was = f"version {live.version}" if live else "nothing"
            now = f"version {release.version}"
            text = f"{alias}: unchanged, {now}" if was == now else f"{alias}: {was} → {now}"
            context.say(f"release/{release.function}", text)
            return


def _judge(context: Context, release: Release, live: Alias | None) -> None:
    """Order is ancestry: an alias never goes back to an older commit by itself."""
    if live is None:
        return
    where = f"{release.function}:{context.environment.alias}"
    judge(context, where, _commit(context, release, live), f"version {live.version}")


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
