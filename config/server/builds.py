"""The operator's `[builds]`: what the builds and checks of all repositories may reach and use."""

from typing import Annotated, Literal

from pydantic import Field

from config import toml
from config.server.build_limits import Limits, size_bytes
from config.values import Matching

__all__ = ["Builds", "ImageGlob", "Limits", "Network", "Networks", "Trust", "size_bytes"]

Trust = Literal["deploy", "review", "stranger"]
"""Whose code it is: what is on a branch, a pull request's, or a fork's."""

Network = Literal["default", "host", "none"]
"""Docker's words: the engine's bridge, the machine's own network, no network."""

ImageGlob = Annotated[
    str,
    Matching(
        r"[a-z0-9*?][A-Za-z0-9._:/@*?-]{0,254}",
        'an image such as "docker.io/library/python:*", where "*" and "?" may stand',
    ),
]


class Networks(toml.Section):
    """The network of image builds, and of checks with `network = true`, by trust."""

    deploy: Network | None = Field(
        None,
        description="of deploys; else SLIPWAY_BUILD_NETWORK, and SLIPWAY_CHECK_NETWORK of checks",
    )
    review: Network | None = Field(
        None, description="of pull requests; else the same variables as for deploys"
    )
    stranger: Network = Field("none", description="of pull requests from forks")


class Builds(toml.Section):
    """What builds and checks of all repositories may reach and use."""

    network: Networks = Field(
        default_factory=Networks,
        description='network by trust, such as { deploy = "default", stranger = "none" }',
    )
    images: tuple[ImageGlob, ...] = Field(
        (),
        description="images that a build without a network may fetch; it may always use those "
        "that the engine holds",
    )

    limits: Limits = Field(default_factory=Limits, description="what each of them may use")

    def network_of(self, trust: Trust) -> Network | None:
        """What the file says of one trust; None where the environment decides."""
        return {
            "deploy": self.network.deploy,
            "review": self.network.review,
            "stranger": self.network.stranger,
        }[trust]
