"""What is removed in time, and what stays."""

import os
import time
from pathlib import Path

from tests.source.conftest import NAME
from tests.stand_ins.github import TOKEN, GitHub
from workers.source import upkeep
from workers.source.git import Git
from workers.source.mirror import KEPT, Mirror

DAY = 86400


def test_unused_mirrors_and_workspaces_go(hub: GitHub, url: str, git: Git, tmp_path: Path) -> None:
    """A mirror or workspace that nobody asked for in that time is removed, others stay."""
    sha = hub.commit(NAME, "master", {"a": "1"})
    old, new = Mirror(git, 1), Mirror(git, 2)
    for mirror in (old, new):
        mirror.fetch(url, sha, TOKEN)
    for name in ("old", "new"):
        (tmp_path / "work" / name).mkdir(parents=True)
    past = time.time() - 2 * DAY
    for path in (old.directory.with_suffix(".lock"), tmp_path / "work" / "old"):
        os.utime(path, (past, past))
    for _ in range(2):
        upkeep.prune(git, DAY, tmp_path / "work")
    assert not old.directory.exists()
    assert new.fetch(url, sha, TOKEN).read("a") == b"1"
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["new"]
    assert old.fetch(url, sha, TOKEN).read("a") == b"1"


def test_a_mirror_in_use_is_repacked(hub: GitHub, url: str, git: Git) -> None:
    """Old commits beyond the newest fifty lose their ref, and many packs become one."""
    mirror = Mirror(git, 1)
    past = int(time.time()) - 9 * DAY
    shas = [hub.commit(NAME, "master", {"a": str(n)}, date=past + n) for n in range(54)]
    for sha in shas:
        mirror.fetch(url, sha, TOKEN)
    half = mirror.directory.with_suffix(".0123.old")
    half.mkdir()
    upkeep.prune(git, DAY)
    refs = git.run("for-each-ref", "--format=%(refname)", directory=mirror.directory).out.decode()
    assert refs.split() == sorted(f"{KEPT}{sha}" for sha in shas[4:])
    assert len(list(mirror.directory.glob("objects/pack/*.pack"))) == 1
    assert not half.exists()
    asked = len(hub.requests)
    assert mirror.fetch(url, shas[0], TOKEN).read("a") == b"0"
    assert len(hub.requests) == asked
