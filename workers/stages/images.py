"""Images of the commit, gone again when they have served; BuildKit's cache stays."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from workers.docker.workbench import Workbench
from workers.stages import allowed
from workers.stages.context import Context


def workbench(context: Context) -> Workbench:
    """The commit's files on this machine's engine."""
    settings = context.shop.settings
    return Workbench(
        engine=context.shop.engine,
        source=context.source,
        folder=context.folder / "packages",
        where=f"commit {context.order.commit[:7]}",
        labels=context.labels,
        bounds=allowed.bounds(context),
        seconds=settings.build_seconds,
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
