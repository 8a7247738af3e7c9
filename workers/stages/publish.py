"""Packages into S3, write-once."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from workers.aws import artifacts
from workers.docker.package import Package
from workers.errors import OurError
from workers.stages.context import Context
from workers.stages.packages import packages

TOGETHER = 4


def run(context: Context) -> str:
    """Put each function's package at `<function>/<commit>.zip`."""
    hashes = context.hashes()
    done = [name for name, sha256 in hashes.items() if _published(context, name) == sha256]
    if len(done) < len(hashes):
        built = context.built or _rebuilt(context, hashes, done)
        missing = [name for name in built if name not in done]
        with ThreadPoolExecutor(TOGETHER) as pool:
            list(pool.map(lambda name: _publish(context, name, built[name]), missing))
    return f"{len(hashes)} package{'s' * (len(hashes) != 1)} in {context.bucket}"


def _published(context: Context, function: str) -> str | None:
    artifact = artifacts.find(context.aws, context.bucket, function, context.order.commit)
    return artifact.sha256 if artifact else None


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
        context.lease.write(packages=json.dumps(again))
    return built


def _publish(context: Context, function: str, package: Package) -> None:
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
