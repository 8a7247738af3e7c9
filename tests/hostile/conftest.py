"""The fixtures of the rooms that hostile repositories go through."""

from tests.source.conftest import git, hub, mirror, plumbing, snapshot, url

__all__ = ["git", "hub", "mirror", "plumbing", "snapshot", "url"]
