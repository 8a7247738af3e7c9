"""What the builds of one repository and trust may reach."""

from dataclasses import dataclass

from workers.docker.engine import Engine
from workers.ledger.model.errors import OurError

BRIDGE = "bridge"
CACHE_ARGUMENT = "BUILDKIT_CACHE_MOUNT_NS"
"""BuildKit's argument that is put before the id of each cache mount."""


@dataclass(frozen=True)
class Bounds:
    """What a build may reach.

    `network` is the operator's, in Docker's words; `cache` the name space of its cache mounts,
    which builds of others must not share; `images` are patterns of images that it may fetch
    although it has no network.
    """

    network: str
    cache: str
    images: tuple[str, ...] = ()


def build_network(engine: Engine, asked: str) -> str:
    """The network of a build as Docker is told it; never the host's unless that is asked for.

    Raises:
        OurError: the default is asked for, and the engine has no bridge.
        PassingError: the engine does not answer.
    """
    if asked == "default":
        require(engine, BRIDGE, 'sets network = { … } in [builds] to "none" or "host"')
    return asked


def require(engine: Engine, network: str, otherwise: str) -> str:
    """The network's name, which the engine has.

    Raises:
        OurError: it has not; `otherwise` is what the operator may do instead.
        PassingError: the engine does not answer.
    """
    if network not in ("none", "host") and not engine.has_network(network):
        raise OurError(
            f"the Docker engine has no network called {network!r}, and the host's own is not taken"
            f" for it: the operator makes one, or {otherwise}"
        )
    return network
