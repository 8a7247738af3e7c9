"""A repository's site on its way through the stages: recorded, sent ahead, switched, announced."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from config.pipeline import Site
from config.units import size
from workers.attempt import untidy
from workers.attempt.ancestry import judge as judge_ancestry
from workers.attempt.context import Context, recorded
from workers.attempt.packages import packages
from workers.aws import sites
from workers.aws.sites import cdn
from workers.aws.sites import found as sites_found
from workers.aws.sites.book import File, Manifest, Place
from workers.aws.sites.headers import Content, headers
from workers.aws.sites.transfer import Body
from workers.ledger.model.errors import OurError, PassingError, UserError
from workers.ledger.model.notes import Notes
from workers.ledger.model.released import Released, ReleasedSite
from workers.packaging.selection import Patience, Selection
from workers.packaging.site_files import SiteFiles
from workers.stages.deploy import republish


def judge(context: Context, site: Site) -> None:
    """See that the operator lets this repository write the site's bucket.

    Raises:
        UserError: it does not.
    """
    if context.order.purpose == "deploy":
        _bucket(context, site)
        return
    environments = context.shop.operator.environments.values()
    candidates = {site.bucket, *(one.bucket for one in environments if one.bucket)}
    if candidates.isdisjoint(context.rule.sites):
        raise _forbidden(context, site)


def record(context: Context) -> str:
    """Put the hash of what was built on record; a few words about it."""
    if context.site is None:
        return ""
    manifest = _manifest(context, context.site)
    context.note(Notes(site=manifest.digest))
    words = f"site: {_size(manifest)}"
    context.say("build", f"{words}, sha256 {manifest.digest}")
    return words


def publish(context: Context) -> str:
    """Send ahead what the site's release will need; nothing that is live changes."""
    site = context.pipeline.site
    if site is None:
        return ""
    place = _place(context, site)
    manifest = _recorded(context, place)

    def source() -> Callable[[str], Body]:
        return _files(context).body

    with context.lease.locked(_lock(place)):
        sent = sites.publish(place, manifest, source, _rules(context, site, "publish"))
        context.site_found = sent.found
    words = f"{place.url}: {sent.files} of {len(manifest.files)} files sent"
    context.say("publish", f"{words}, {size(sent.size)}")
    return words


@contextmanager
def held(context: Context) -> Iterator[None]:
    """Keep the site for this run while its release is decided and done.

    Raises:
        BusyError: another run is at it.
        SupersededError: a newer commit's site is live.
    """
    site = _site(context)
    if site is None:
        yield
        return
    place = _place(context, site)
    with context.lease.locked(_lock(place)):
        found = context.site_found
        if found is None or not found.still(place, site.keep, time.time()):
            found = sites_found.look(place, context.order.commit)
        if found.book.commit:
            judge_ancestry(context, place.url, found.book.commit, "")
        context.site_found = found
        yield


def switch(context: Context) -> None:
    """Make the site live; on a fault it is as it was before.

    Raises:
        OurError: what was published is gone, or is not what was built.
    """
    site = _site(context)
    if site is None:
        return
    place, manifest = _place(context, site), _published(context, site)

    def begin(switched: int) -> None:
        if switched:
            context.note(Notes(site_switched=True))

    untidy.clear(context, place.url)
    done = sites.release(
        place, manifest, _rules(context, site, "release"), begin, context.site_found
    )
    context.say(
        "release", f"{place.url}: {done.switched} files switched, {done.removed} old ones removed"
    )


def probe(context: Context) -> None:
    """See that the site's bucket takes writes, before anything moves.

    Raises:
        OurError: what was published is gone, is not what was built, or AWS refuses.
        PassingError: S3 is out of reach.
    """
    site = _site(context)
    if site is not None:
        _place(context, site).write_manifest(_published(context, site))


def _published(context: Context, site: Site) -> Manifest:
    """The manifest of what this run has published."""
    place, found = _place(context, site), context.site_found
    manifest = found.manifest if found else place.read_manifest(context.order.commit)
    if manifest is None or manifest.digest != context.notes().site:
        raise OurError(
            f"{place.url}: the site on record is not the one that was built; retry the run"
        )
    return manifest


def announce(context: Context) -> str:
    """Tell CloudFront, if the site changed; what to add to the run's summary.

    Raises:
        PassingError: CloudFront is out of reach, and there will be another try.
    """
    site = _site(context)
    if site is None:
        return ""
    words = f"{_place(context, site).url} is commit {context.order.commit[:7]}"
    distribution = context.environment.distribution or site.distribution
    if not distribution or not context.notes().site_switched:
        return words
    try:
        invalidation = cdn.invalidate(context.aws, distribution, context.run.id)
    except (OurError, PassingError) as error:
        if isinstance(error, PassingError) and not context.last_try:
            raise
        # It is live: edges that may be out of date for a while are no reason to call it failed.
        context.say("release", str(error))
        return f"{words}; {distribution} was NOT invalidated"
    context.say("release", f"{distribution}: invalidation {invalidation}")
    return words


def live(context: Context) -> list[tuple[str, Released]]:
    """The site that this run makes live, if any: its place, and what a rollback to it needs."""
    site = _site(context)
    if site is None:
        return []
    place = _place(context, site)
    sha256 = recorded(context.notes().site, "site")
    placed = ReleasedSite(bucket=place.bucket, keep=site.keep, distribution=site.distribution)
    what = Released(function=None, version=None, alias=None, sha256=sha256, site=placed)
    return [(_lock(place), what)]


def named(context: Context) -> tuple[str, str] | None:
    """The place of the site that this run makes live, in the ledger and for people, if any."""
    site = _site(context)
    if site is None:
        return None
    place = _place(context, site)
    return _lock(place), place.url


def _site(context: Context) -> Site | None:
    """The site that this run makes live: that of its commit's file, or of its rollback's target."""
    back = context.order.purpose == "rollback"
    return republish.site(context) if back else context.pipeline.site


def _bucket(context: Context, site: Site) -> str:
    """The environment's bucket if sites may be there, else the one that the repository names."""
    if context.order.purpose == "rollback" and site.bucket in context.rule.sites:
        return site.bucket
    for bucket in (context.environment.bucket, site.bucket):
        if bucket in context.rule.sites:
            return str(bucket)
    raise _forbidden(context, site)


def _forbidden(context: Context, site: Site) -> UserError:
    return UserError(
        f"slipway.toml: the operator does not allow {context.order.repository} to write the site "
        f"{site.bucket}: it is not among `sites` in [[repositories]]; nothing was changed"
    )


def _place(context: Context, site: Site) -> Place:
    return Place(context.aws, _bucket(context, site), context.environment.name)


def _lock(place: Place) -> str:
    return f"site:{place.bucket}/{place.environment}"


def _rules(context: Context, site: Site, stage: str) -> sites.Rules:
    url = _place(context, site).url
    return sites.Rules(
        keep=site.keep,
        watch=context.lease.check,
        say=lambda line: context.say(stage, line),
        left=lambda why: untidy.note(context, url, why),
    )


def _files(context: Context) -> SiteFiles:
    if context.site is None:
        packages(context)
    if context.site is None:
        raise OurError("the build gave no site; retry the run")
    return context.site


def _recorded(context: Context, place: Place) -> Manifest:
    """The manifest of what was built; built again where the worker that had it is gone."""
    noted = context.notes().site
    if context.site is None:
        published = place.read_manifest(context.order.commit)
        if published and published.digest == noted:
            return published
    manifest = _manifest(context, _files(context))
    if manifest.digest != noted:
        context.note(Notes(site=manifest.digest))
    return manifest


def _manifest(context: Context, found: SiteFiles) -> Manifest:
    site = context.pipeline.site
    listed = Selection(site.immutable) if site and site.immutable else None
    patience = Patience(context.lease)

    def content(name: str) -> Content:
        return Content(found.files[name].utf8, found.files[name].html)

    files = {
        name: File(
            sha256=file.sha256,
            size=file.size,
            headers=headers(
                name,
                content=content,
                others=found.files,
                immutable=lambda name: listed is not None and patience.matches(listed, name),
                types=site.types if site else {},
            ),
        )
        for name, file in found.files.items()
    }
    return Manifest(commit=context.order.commit, files=files)


def _size(manifest: Manifest) -> str:
    total = sum(file.size for file in manifest.files.values())
    return f"{len(manifest.files)} files, {size(total)}"
