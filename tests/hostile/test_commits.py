"""Commits whose messages and trees are far larger than what was pushed."""

import hashlib
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from config import limits
from tests.source.conftest import Plumbing
from tests.stand_ins.github import TOKEN
from workers.ledger.model.errors import UserError
from workers.source.git import Git
from workers.source.mirror import Mirror
from workers.source.snapshot import Snapshot

DEEP = 100_000


@pytest.fixture
def fetched(mirror: Mirror, url: str, plumbing: Plumbing):
    """Fetches a commit of a tree."""

    def fetch(tree: str) -> Snapshot:
        return mirror.fetch(url, plumbing.commit(tree), TOKEN)

    return fetch


def _listed(made: Snapshot, *options: str) -> int:
    """How many entries git would write, asked of git without any guard."""
    git = ["git", "-C", str(made.directory), "ls-tree", "-r", "-z", *options, made.commit]
    with subprocess.Popen(git, stdout=subprocess.PIPE) as process:
        assert process.stdout
        return sum(part.count(b"\0") for part in iter(lambda: process.stdout.read(1 << 20), b""))


def _refused(made: Snapshot, target: Path, words: str) -> None:
    with pytest.raises(UserError, match=words):
        made.export(target)
    assert not target.exists(), "a part of it was written"


def test_small_trees_that_stand_for_a_million_files_are_refused(
    fetched, plumbing: Plumbing, tmp_path: Path
) -> None:
    """Two trees of a thousand entries are a million files to git, and none of them is written."""
    blob = plumbing.object("blob", b"x")
    inner = plumbing.tree(*(("100644", b"%04d" % n, blob) for n in range(1000)))
    made = fetched(plumbing.tree(*(("40000", b"%04d" % n, inner) for n in range(1000))))
    assert _listed(made) == 1_000_000
    _refused(made, tmp_path / "files", f"more than {limits.SOURCE_FILES} files and folders")


def test_small_trees_of_folders_alone_are_refused(
    fetched, plumbing: Plumbing, tmp_path: Path
) -> None:
    """Folders count as well: each is one to make."""
    tree = plumbing.tree(("100644", b"x", plumbing.object("blob", b"x")))
    for _ in range(4):
        tree = plumbing.tree(*(("40000", b"%02d" % n, tree) for n in range(30)))
    _refused(fetched(tree), tmp_path / "files", "files and folders")


def test_one_large_file_under_many_names_is_refused(
    fetched, plumbing: Plumbing, tmp_path: Path
) -> None:
    """The bytes of a file count for each of its names."""
    blob = plumbing.object("blob", bytes(72 << 20))
    made = fetched(plumbing.tree(*(("100644", b"%02d" % n, blob) for n in range(30))))
    assert limits.SOURCE_BYTES < 30 * (72 << 20)
    assert _listed(made) == 30
    _refused(made, tmp_path / "files", "more than 2.1 GB of files")


def test_names_that_multiply_are_refused(fetched, plumbing: Plumbing, tmp_path: Path) -> None:
    """Long names of folders count for each file below them."""
    tree = plumbing.tree(
        *(("100644", b"%05d" % n, plumbing.object("blob", b"x")) for n in range(1))
    )
    blob = plumbing.object("blob", b"x")
    tree = plumbing.tree(*(("100644", b"%05d" % n, blob) for n in range(25_000)))
    for letter in (b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h", b"i", b"j", b"k", b"l"):
        tree = plumbing.tree(("40000", letter * 240, tree))
    _refused(fetched(tree), tmp_path / "files", "of paths")


def test_what_is_within_the_limits_is_written(fetched, plumbing: Plumbing, tmp_path: Path) -> None:
    """A thousand files of one blob in shared folders are ten thousand on disk."""
    blob = plumbing.object("blob", b"x")
    inner = plumbing.tree(*(("100644", b"%04d" % n, blob) for n in range(100)))
    made = fetched(plumbing.tree(*(("40000", b"%04d" % n, inner) for n in range(20))))
    made.export(tmp_path / "files")
    assert sum(one.is_file() for one in (tmp_path / "files").rglob("*")) == 2000


def test_a_long_subject_is_cut(fetched, plumbing: Plumbing, mirror: Mirror, url: str) -> None:
    """Of a subject of 20 MB the beginning is read, and git is not waited for."""
    tree = plumbing.tree(("100644", b"x", plumbing.object("blob", b"x")))
    who = b"A <a@example.com> 1700000000 +0000"
    text = b"tree %s\nauthor %s\ncommitter %s\n\n" % (tree.encode(), who, who)
    commit = plumbing.object("commit", text + "é".encode() * (10 << 20))
    plumbing.git.run("update-ref", "refs/heads/long", commit)
    made = mirror.fetch(url, commit, TOKEN)
    whole = subprocess.run(
        ["git", "-C", str(made.directory), "show", "--no-patch", "--format=%s", commit],
        capture_output=True,
        check=True,
    )
    assert len(whole.stdout) > 20 << 20, "git gives all of it to who does not ask for less"
    assert made.subject() == "é" * limits.SUBJECT + "…"


def test_a_tree_without_end_is_the_repositorys_fault(
    snapshot, plumbing: Plumbing, tmp_path: Path
) -> None:
    """Folders nested a hundred thousand deep, on which git dies, are refused as a user's fault."""
    made = snapshot({"x": "x"})
    tree = made.tree()
    pack = [struct.pack(">4sLL", b"PACK", 2, DEEP)]
    for _ in range(DEEP):
        content = b"40000 a\0" + bytes.fromhex(tree)
        tree = hashlib.sha1(b"tree %d\0" % len(content) + content).hexdigest()
        # Kind 2, 28 bytes: https://git-scm.com/docs/pack-format
        pack.append(bytes((2 << 4 | len(content) & 15 | 128, len(content) >> 4)))
        pack.append(zlib.compress(content))
    body = b"".join(pack)
    subprocess.run(
        ["git", "-C", str(made.directory), "index-pack", "--stdin"],
        input=body + hashlib.sha1(body).digest(),
        capture_output=True,
        check=True,
    )
    with pytest.raises(UserError, match=r"nested|files and folders|of paths"):
        Snapshot(made.git, made.directory, tree).export(tmp_path / "files")


def test_what_git_prints_is_bounded(git: Git, tmp_path: Path) -> None:
    """More than is read stops git, as the repository's fault."""
    for number in range(2):
        with (tmp_path / f"{number}").open("wb") as file:
            file.truncate(limits.GIT_OUTPUT + 1)
    with pytest.raises(UserError, match=r"git diff prints more than 67\.1 MB"):
        git.run("diff", "--no-index", "--text", "/dev/null", str(tmp_path / "1"))
