"""What is removed in time, and what stays."""

import fcntl
import os
import time
from dataclasses import replace

from tests.source.conftest import NAME
from tests.stand_ins.github import TOKEN, GitHub
from workers.source import upkeep
from workers.source.git import Git
from workers.source.lock import locked
from workers.source.mirror import KEPT, Mirror

DAY = 86400


def age(*mirrors: Mirror) -> None:
    """As if nobody had asked these mirrors for two days."""
    past = time.time() - 2 * DAY
    for mirror in mirrors:
        os.utime(mirror.directory.with_suffix(".lock"), (past, past))


def test_a_mirror_in_use_keeps_no_other_from_its_turn(hub: GitHub, url: str, git: Git) -> None:
    """What somebody holds is left and named; those after it are removed all the same."""
    sha = hub.commit(NAME, "master", {"a": "1"})
    busy, after = Mirror(git, 1), Mirror(git, 2)
    for mirror in (busy, after):
        mirror.fetch(url, sha, TOKEN)
    age(busy, after)
    with locked(busy.directory.with_suffix(".lock"), None, 1):
        (left,) = upkeep.prune(git, DAY)
    assert left.startswith("1: 1.lock was held by others")
    assert busy.directory.exists()
    assert not after.directory.exists()


class Fetching:
    """Somebody who fetches into a mirror while the upkeep waits for it."""

    def __init__(self, mirror: Mirror) -> None:
        self.lock = mirror.directory.with_suffix(".lock")
        self.held = os.open(self.lock, os.O_RDWR)
        fcntl.flock(self.held, fcntl.LOCK_EX)
        self.ended = False

    def check(self) -> None:
        """The upkeep has begun to wait: this ends, and leaves what it fetched."""
        if not self.ended:
            self.lock.touch()
            os.close(self.held)
            self.ended = True


def test_a_mirror_that_was_fetched_meanwhile_stays(hub: GitHub, url: str, git: Git) -> None:
    """Whether anybody wants it is asked once nobody is at it."""
    sha = hub.commit(NAME, "master", {"a": "1"})
    mirror = Mirror(git, 1)
    mirror.fetch(url, sha, TOKEN)
    age(mirror)
    fetching = Fetching(mirror)
    assert upkeep.prune(replace(git, watch=fetching), DAY) == []
    assert fetching.ended
    assert mirror.directory.exists()


def test_unused_mirrors_go(hub: GitHub, url: str, git: Git) -> None:
    """A mirror that nobody asked for in that time is removed, others stay."""
    sha = hub.commit(NAME, "master", {"a": "1"})
    old, new = Mirror(git, 1), Mirror(git, 2)
    for mirror in (old, new):
        mirror.fetch(url, sha, TOKEN)
    age(old)
    for _ in range(2):
        assert upkeep.prune(git, DAY) == []
    assert not old.directory.exists()
    assert new.fetch(url, sha, TOKEN).read("a") == b"1"
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
