"""Going back: an older release's versions are there again, and whatever is deploying gives way."""

from config.pipeline import Site
from config.together import together
from config.units import duration
from workers.attempt.context import Context, recorded
from workers.aws import artifacts, functions, sites
from workers.aws.sites.book import Place
from workers.ledger.model.errors import BusyError, GoneError, OurError
from workers.ledger.model.notes import Notes
from workers.ledger.model.rollback import PlacedSite, Target
from workers.ledger.model.run import Release, Run, StageState, State
from workers.ledger.model.stages import STAGES
from workers.stages import shared_version

INSTEAD = "push a new commit with its code (git revert), or roll back to another commit"
"""What to do about a commit that is gone: its own run has succeeded, and is not repeated."""

DEPLOYING = frozenset(stage.name for stage in STAGES if stage.deploys)


def target(context: Context) -> Target:
    """What this run goes back to, as its order was accepted."""
    return recorded(context.notes().targets, "targets")


def site(context: Context) -> Site | None:
    """The site that this run goes back to, or None."""
    placed = target(context).site
    if placed is None:
        return None
    # Validated when it was read from the repository's file; a rollback has no files to send.
    return Site.model_construct(**placed.model_dump(exclude={"sha256"}), path="/", immutable=())


def deploy(context: Context) -> str:
    """See that every version is there; what was deleted is published again out of S3.

    Raises:
        GoneError: a package or a site's file is no longer kept; the environment is as it was.
        OurError: the operator no longer allows it.
    """
    wanted = target(context)
    for release in wanted.releases:
        if not context.rule.may_touch(release.function):
            raise OurError(
                f"the operator no longer allows {context.order.repository} to touch "
                f"{release.function}; nothing was changed"
            )
    try:
        if wanted.site:
            _ready(context, wanted.site)
        found = together(lambda one: _there(context, one), wanted.releases)
        releases = together(lambda one: _published(context, one), found)
    except GoneError:
        context.note(Notes(gone=True))
        context.lease.drop_hold(context.environment.name)
        raise
    context.lease.releases(releases)
    return ", ".join(f"{one.function} version {one.version}" for one in releases) or "its site"


Found = tuple[Release, artifacts.Artifact | None]


def _there(context: Context, release: Release) -> Found:
    """The release, with its package unless its version is there; all are asked before any act."""
    name, version, sha256 = release.function, release.version or "", release.sha256 or ""
    if functions.holds(context.aws, name, version, sha256):
        return release, None
    commit = context.order.commit
    package = artifacts.find(context.aws, context.bucket, name, commit)
    if package is None or package.sha256 != sha256:
        key = f"s3://{context.bucket}/{artifacts.key_of(name, commit)}"
        why = "is gone" if package is None else "is another package than was released"
        raise GoneError(f"version {version} of {name} was deleted, and {key} {why}: {INSTEAD}")
    return release, package


def _published(context: Context, found: Found) -> Release:
    release, package = found
    if package is None:
        return release
    name = release.function
    with context.lease.locked(context.function_lock(name)):
        version = functions.deploy(
            context.aws,
            name,
            package,
            context.order.commit,
            watch=context.lease.check,
            say=lambda line: context.say(f"deploy/{name}", line.removeprefix(f"{name}: ")),
        )
    context.say(
        f"deploy/{name}",
        f"version {release.version} was deleted; published again as {version.number}",
    )
    known = [version.commit]
    return shared_version.release(context, name, version.number, package.sha256, known)


def _ready(context: Context, placed: PlacedSite) -> None:
    place = Place(context.aws, placed.bucket, context.environment.name)
    manifest = place.read_manifest(context.order.commit)
    short = context.order.commit[:7]
    if manifest is None or manifest.digest != placed.sha256:
        raise GoneError(
            f"{place.url}: the site of {short} is no longer on record (kept for "
            f"{duration(placed.keep)} after a release without it): {INSTEAD}"
        )
    missing = sites.missing(place, manifest)
    if missing:
        raise GoneError(
            f"{place.url}: {len(missing)} files of {short} are gone, such as {missing[0]!r}: "
            f"{INSTEAD}"
        )
    context.note(Notes(site=manifest.digest))


def interrupt(context: Context) -> None:
    """Have whatever is deploying the same repository to the same environment give way.

    What a lock holds back already stays held.

    Raises:
        BusyError: one of them is still putting back what it has moved.
    """
    ledger = context.shop.ledger
    why = f"gives way to the rollback to {context.order.commit[:7]} by {context.order.sender}"
    for run in ledger.history.alive():
        if not _in_the_way(context, run):
            continue
        if ledger.history.fields(run.id, "cancel") == [None]:
            ledger.cancel(run.id, f"{why} (run {context.run.id})")
            context.say("release", f"run {run.id} of {run.order.commit[:7]} gives way")
        left = ledger.history.run(run.id)
        # One that has a worker holds the turn; one that has none is woken for it.
        if left and left.state in (State.WAITING, State.QUEUED):
            raise BusyError(f"run {run.id} is putting back what it has moved")


def _in_the_way(context: Context, run: Run) -> bool:
    ours, theirs = context.order, run.order
    same = (ours.repository_id, ours.environment) == (theirs.repository_id, theirs.environment)
    if not same or run.id == context.run.id or run.held or run.state.final:
        return False
    if theirs.purpose == "rollback":
        return run.created_at <= context.run.created_at
    begun = (s for s in run.stages if s.name in DEPLOYING and s.state is not StageState.PENDING)
    return any(begun)
