"""A GitHub stand-in, something that receives its deliveries, and git at the command line."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stand_ins.github import GitHub, Receiver
from tests.stand_ins_self.helpers import REPO, with_token


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Something that listens for webhooks."""
    with Receiver() as server:
        yield server


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A stand-in with one repository of one commit on `master`."""
    with GitHub(tmp_path / "github", hook_seconds=1) as stand_in:
        stand_in.create_repository(REPO)
        stand_in.commit(REPO, "master", {"README.md": "movies\n"}, "First")
        yield stand_in


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Git as a user runs it, without anybody's configuration; the first argument is where."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "ann",
        "GIT_AUTHOR_EMAIL": "ann@example.com",
        "GIT_COMMITTER_NAME": "ann",
        "GIT_COMMITTER_EMAIL": "ann@example.com",
    }

    def run(
        where: Path, *arguments: str, check: bool = True, **more: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "-C", str(where), *arguments],
            env=environment | more,
            capture_output=True,
            text=True,
            check=check,
            timeout=60,
        )

    return run


@pytest.fixture
def clone(github: GitHub, git, tmp_path: Path) -> Path:
    """A work tree, cloned over HTTP, that knows the token."""
    git(tmp_path, *with_token(github), "clone", "-q", f"{github.url}/{REPO}.git", "clone")
    value = with_token(github)[1].partition("=")[2]
    git(tmp_path / "clone", "config", "http.extraHeader", value)
    return tmp_path / "clone"
