"""Packages into S3, write-once."""

from collections.abc import Callable, Mapping

from config.together import together
from workers.attempt import branch
from workers.attempt.context import Context
from workers.attempt.packages import packages
from workers.aws import artifacts
from workers.aws.artifacts import Artifact
from workers.ledger.model.errors import OurError
from workers.ledger.model.notes import Notes
from workers.packaging.package import Package
from workers.stages import ownership, site
from workers.stages.build import reuse

TOGETHER = 4


def run(context: Context) -> str:
    """Put each function's package at `<function>/<commit>.zip`, and send a site's files ahead."""
    hashes = context.hashes()
    if context.pipeline.site:
        # A site's files are sent ahead to where they will be seen.
        ownership.check(context)
    with branch.asked(context, "publish") as still_there:
        reuse.copy(context, still_there)
        _supply(context, hashes, still_there)
    reuse.remember(context)
    count = f"{len(hashes)} package{'s' * (len(hashes) != 1)} in {context.bucket}" if hashes else ""
    return "; ".join(filter(None, (count, site.publish(context))))


def _supply(context: Context, hashes: Mapping[str, str], still_there: Callable[[], None]) -> None:
    """Upload each distinct package that is not there yet, and copy it for the other functions."""
    found = together(lambda name: _find(context, name), hashes, TOGETHER)
    done = {name: one for name, one in zip(hashes, found, strict=True) if one}
    done = {name: one for name, one in done.items() if one.sha256 == hashes[name]}
    still_there()
    missing = [name for name in hashes if name not in done]
    sources = {one.sha256: one for one in done.values()}
    if {hashes[name] for name in missing} - set(sources):
        built = context.built or _rebuilt(context, hashes, list(done))
        hashes = {name: built[name].sha256 for name in hashes}
        firsts = {hashes[name]: name for name in reversed(missing)}
        uploads = [name for sha256, name in firsts.items() if sha256 not in sources]
        sent = together(lambda name: _publish(context, name, built[name]), uploads, TOGETHER)
        sources |= {one.sha256: one for one in sent}
        missing = [name for name in missing if name not in uploads]
    together(lambda name: _copy(context, name, sources[hashes[name]]), missing, TOGETHER)


def _find(context: Context, function: str) -> Artifact | None:
    return artifacts.find(context.aws, context.bucket, function, context.order.commit)


def _copy(context: Context, function: str, source: Artifact) -> None:
    artifact = artifacts.copy(context.aws, source, function, context.order.commit)
    context.say("publish", f"s3://{artifact.bucket}/{artifact.key}, a copy of {source.key}")


def _rebuilt(context: Context, hashes: Mapping[str, str], done: list[str]) -> Mapping[str, Package]:
    """The packages once more: the worker that had built them is gone, and its disk with it."""
    built = packages(context)
    again = {name: package.sha256 for name, package in built.items()}
    if again != dict(hashes):
        if done:
            raise OurError(
                "a worker was lost while it published, and a second build gives other bytes than "
                "the first: make the build reproducible (pin versions), then push again"
            )
        context.note(Notes(packages=again))
    return built


def _publish(context: Context, function: str, package: Package) -> Artifact:
    artifact = artifacts.publish(
        context.aws,
        context.bucket,
        function,
        context.order.commit,
        package.path,
        package.sha256,
        {"run": context.run.id, "repository": context.order.repository},
    )
    context.say("publish", f"s3://{artifact.bucket}/{artifact.key}")
    return artifact
