"""What a worker says at its start: the networks of builds and checks, and what answers there."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

import structlog

from config.together import together
from workers.docker.bounds import BRIDGE
from workers.ledger.model.errors import RunError
from workers.workshop import Workshop

log = structlog.get_logger()

SECONDS = 0.5
METADATA = ("169.254.169.254", "169.254.170.2")
"""Where clouds hand out a machine's credentials: EC2 and most others, ECS."""
DOCKER_PORTS = (2375, 2376)


class Place(NamedTuple):
    """Somewhere that a build or check should not reach."""

    what: str
    host: str
    port: int

    def __str__(self) -> str:
        """For people."""
        return f"{self.what} at {self.host}:{self.port}"


def tell(shop: Workshop) -> None:
    """Log the networks that builds and checks get, which of them are missing, and what answers.

    What answers this machine is open to whatever has a network, unless a firewall closes it.
    """
    _tell_of_cgroup(shop)
    networks = _networks(shop)
    open_ones = set(networks.values()) - {"none"}
    try:
        missing = [name for name in open_ones - {"host"} if not shop.engine.has_network(name)]
        gateway = shop.engine.gateway(BRIDGE) if open_ones else ""
    except RunError as error:
        log.warning("isolation", networks=networks, unknown=str(error))
        return
    found = answering(_places(shop, gateway)) if open_ones else []
    say = log.warning if found or missing or "host" in open_ones else log.info
    say(
        "isolation",
        networks=networks,
        missing=missing,
        answered=[str(place) for place in found],
        see="docs/isolation.md",
    )


def _tell_of_cgroup(shop: Workshop) -> None:
    wanted = shop.settings.build_cgroup
    with suppress(RunError):
        if wanted and not shop.engine.heeds_build_cgroup():
            log.warning(
                "build_cgroup_ignored",
                cgroup=wanted,
                why="this Docker engine is older than 23 and builds below buildkit/ in its own"
                " parent cgroup: set the limits there, or use a newer engine",
                see="docs/operating.md",
            )


def answering(places: Iterable[Place]) -> list[Place]:
    """Those that take a connection within half a second."""
    asked = list(places)
    good = together(_answers, asked, max(len(asked), 1))
    return [place for place, answers in zip(asked, good, strict=True) if answers]


def _answers(place: Place) -> bool:
    with suppress(OSError), socket.create_connection((place.host, place.port), timeout=SECONDS):
        return True
    return False


def _networks(shop: Workshop) -> dict[str, str]:
    """The network of each kind of work, by the engine's name for it."""
    builds, settings = shop.operator.builds, shop.settings
    found = {"checks": settings.check_network}
    for trust in ("deploy", "review"):
        asked = builds.network_of(trust) or settings.build_network
        found[f"builds of {trust}"] = BRIDGE if asked == "default" else asked
    return found


def _places(shop: Workshop, gateway: str) -> Iterable[Place]:
    yield from (Place("the cloud's metadata", host, 80) for host in METADATA)
    ledger = urlsplit(shop.settings.redis_url)
    port = ledger.port or 6379
    host = ledger.hostname or "localhost"
    if not _is_loopback(host):
        yield Place("the ledger", host, port)
    if gateway:
        yield Place("the ledger", gateway, port)
        yield from (Place("a Docker engine", gateway, number) for number in DOCKER_PORTS)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"
