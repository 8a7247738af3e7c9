"""Images of the commit, gone again when they have served; BuildKit's cache stays."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from workers.attempt import allowed
from workers.attempt.context import Context
from workers.docker.checks import Limits
from workers.docker.workbench import Workbench


def workbench(context: Context) -> Workbench:
    """The commit's files on this machine's engine."""
    return Workbench(
        engine=context.shop.engine,
        source=context.source,
        folder=context.folder / "packages",
        where=f"commit {context.order.commit[:7]}",
        labels=context.labels,
        bounds=allowed.bounds(context),
        seconds=context.shop.allowed.build_seconds,
        say=context.say,
        watch=context.lease,
    )


def image(
    context: Context,
    dockerfile: str,
    purpose: str,
    *,
    args: Mapping[str, str] | None = None,
    network: bool = True,
) -> AbstractContextManager[str]:
    """The id of an image built from one of the commit's Dockerfiles."""
    return workbench(context).image(dockerfile, purpose, args=args, network=network)


def check_limits(context: Context, seconds: float | None = None) -> Limits:
    """What one check's container may use; its own time limit counts where it is lower."""
    may = context.shop.allowed
    most = may.check_seconds
    time = min(seconds or most, most)
    return Limits(may.memory, may.cpus, may.pids, time, may.disk)
