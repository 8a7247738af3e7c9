"""The fixtures of the rooms that hostile repositories go through."""

from tests.docker.conftest import context, labels, quiet, real_engine
from tests.hostile.gate import gate
from tests.source.conftest import git, hub, mirror, plumbing, snapshot, url

__all__ = [
    "context",
    "gate",
    "git",
    "hub",
    "labels",
    "mirror",
    "plumbing",
    "quiet",
    "real_engine",
    "snapshot",
    "url",
]
