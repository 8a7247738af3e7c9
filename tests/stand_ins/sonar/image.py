"""An image that holds a stand-in for sonar-scanner, and the address under which it sees us."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import docker
from docker.errors import NotFound

from local.ports import HOST

FOLDER = Path(__file__).parent / "scanner"


@contextmanager
def scanner_image(docker_host: str) -> Iterator[str]:
    """Build the image; its name. It is gone afterwards."""
    name = f"slipway-tests/sonar-scanner:{os.getpid()}"
    with closing(docker.DockerClient(docker_host)) as client:
        client.images.build(path=str(FOLDER), tag=name, network_mode="none", rm=True)
        try:
            yield name
        finally:
            client.images.remove(name, force=True)


def address(docker_host: str) -> str:
    """The address of this machine in a container's network: the bridge's, or the host's own."""
    with closing(docker.DockerClient(docker_host)) as client:
        try:
            bridge = client.networks.get("bridge")
        except NotFound:
            return HOST
        return str(bridge.attrs["IPAM"]["Config"][0]["Gateway"])
