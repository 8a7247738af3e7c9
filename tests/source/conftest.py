"""Real git over real HTTP for the tests of workers/source."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stand_ins.github import TOKEN, GitHub
from workers.source.git import Git
from workers.source.mirror import Mirror
from workers.source.snapshot import Snapshot

NAME = "watchlist/movies"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHub]:
    """A GitHub stand-in with one empty repository."""
    with GitHub(tmp_path / "hub") as hub:
        hub.create_repository(NAME)
        yield hub


@pytest.fixture
def url(hub: GitHub) -> str:
    """The clone URL of the repository."""
    return hub.repository(NAME).clone_url


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Slipway's git, in a data directory of its own."""
    root = tmp_path / "data"
    root.mkdir()
    return Git(root)


@pytest.fixture
def mirror(git: Git) -> Mirror:
    """The mirror of the repository, which never waits for a commit to appear."""
    return Mirror(git, 1, patience=())


@pytest.fixture
def snapshot(hub: GitHub, url: str, mirror: Mirror) -> Callable[..., Snapshot]:
    """Commits files and fetches the commit."""

    def make(files: dict[str, str | bytes | None], **more: object) -> Snapshot:
        commit = hub.commit(NAME, "master", files, **more)  # type: ignore[arg-type]
        return mirror.fetch(url, commit, TOKEN)

    return make


class Plumbing:
    """Trees and commits that git's porcelain would refuse to make."""

    def __init__(self, hub: GitHub) -> None:
        self.git = hub.git(NAME)

    def object(self, kind: str, content: bytes) -> str:
        """Write any object, unchecked."""
        return self.git.run(
            "hash-object", "-t", kind, "-w", "--stdin", "--literally", stdin=content
        )

    def tree(self, *entries: tuple[str, bytes, str]) -> str:
        """A tree of (mode, name, id), in the given order."""
        return self.object(
            "tree",
            b"".join(
                b"%s %s\0%s" % (mode.encode(), name, bytes.fromhex(sha))
                for mode, name, sha in entries
            ),
        )

    def commit(self, tree: str) -> str:
        """A commit of a tree on the branch `hostile`."""
        commit = self.git.commit_tree(tree, [], "hostile")
        self.git.run("update-ref", "refs/heads/hostile", commit)
        return commit


@pytest.fixture
def plumbing(hub: GitHub) -> Plumbing:
    """Git's plumbing on the server's side."""
    return Plumbing(hub)


def digest(directory: Path) -> dict[str, tuple[int, str]]:
    """Every file below a directory: permission bits and hash, or a link's target."""
    found = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_symlink():
            found[name] = (0, str(path.readlink()))
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = (path.stat().st_mode & 0o777, content)
        else:
            found[name] = (path.stat().st_mode & 0o777, "directory")
    return found


def processes(word: str) -> list[str]:
    """The command lines of running processes that hold a word."""
    lines = subprocess.run(["ps", "-wweo", "pid,args"], capture_output=True, text=True, check=True)
    return [line for line in lines.stdout.splitlines() if word in line and " ps -ww" not in line]


def fetches(url: str) -> list[str]:
    """The running `git fetch` commands of one URL; the transport that each starts is another."""
    return [line for line in processes(url) if "git fetch " in line]
