"""Which Docker engines answer, and which of the machine's clients can build."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
from docker.errors import DockerException

from local.packages import run

OLDEST_WITH_BUILDKIT = (18, 9)
NEEDS_BUILDX = (23, 0)


def answers(host: str, seconds: float = 5) -> bool:
    """Whether an engine that has BuildKit answers there."""
    try:
        with closing(docker.DockerClient(base_url=host, timeout=int(seconds))) as client:
            return _numbers(str(client.version()["Version"])) >= OLDEST_WITH_BUILDKIT
    except (DockerException, OSError, KeyError):
        return False


def find_client() -> Path | None:
    """The first `docker` on PATH that can build with BuildKit.

    Before 23.0 BuildKit is part of the client; later it is the buildx plugin
    (https://docs.docker.com/engine/release-notes/23.0/).
    """
    for path in _all_on_path("docker"):
        version = _numbers(run([path, "--version"], check=False).stdout)
        if OLDEST_WITH_BUILDKIT <= version < NEEDS_BUILDX:
            return path
        if version and run([path, "buildx", "version"], check=False).returncode == 0:
            return path
    return None


def _all_on_path(name: str) -> Iterator[Path]:
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if found := shutil.which(name, path=folder or os.curdir):
            yield Path(found)


def _numbers(text: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)", text)
    return tuple(int(part) for part in found.groups()) if found else ()
