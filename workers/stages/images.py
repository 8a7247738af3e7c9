"""Images of the commit, gone again when they have served; BuildKit's cache stays."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from workers.docker import images
from workers.stages.context import Context


@contextmanager
def image(
    context: Context,
    dockerfile: str,
    purpose: str,
    *,
    args: Mapping[str, str] | None = None,
    network: bool = True,
) -> Iterator[str]:
    """The id of an image built from one of the commit's Dockerfiles."""
    settings = context.shop.settings
    tag = f"slipway/{context.run.id}:{purpose}-{context.lease.fence}"
    built = images.build(
        context.shop.engine,
        context.source,
        dockerfile,
        tag=tag,
        args=args or {},
        labels=context.labels,
        network=settings.build_network if network else "none",
        timeout=settings.build_seconds,
        say=lambda line: context.say(f"{purpose}/image", line),
        watch=context.lease,
    )
    try:
        yield built
    finally:
        images.remove(context.shop.engine, tag)
