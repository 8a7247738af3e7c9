"""Images of the commit, gone again when they have served; BuildKit's cache stays."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from workers.docker import images
from workers.stages.context import Context

# An old engine names each step's digest on a line of its own, which helps nobody.
_NOISE = re.compile(r"(#\d+ sha256:[0-9a-f]{64})?\s*")


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
        say=lambda text: _say(context, f"{purpose}/image", text),
        watch=context.lease,
    )
    try:
        yield built
    finally:
        images.remove(context.shop.engine, tag)


def _say(context: Context, source: str, text: str) -> None:
    for line in text.split("\n"):
        if not _NOISE.fullmatch(line):
            context.say(source, line)
