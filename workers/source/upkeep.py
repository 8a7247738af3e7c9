"""Keeping the disk tidy: mirrors that nobody asked for in a while go, the others are repacked."""

import shutil
import time
from pathlib import Path

from workers.ledger.model.errors import RunError
from workers.source.git import Git
from workers.source.lock import locked
from workers.source.mirror import KEPT

RECENT = 50
"""Fetched commits that a mirror keeps, whatever their age."""

LOCK_SECONDS = 1.0
"""For which others may hold a mirror before it is left alone this time."""


def prune(git: Git, older_than: float) -> list[str]:
    """Remove mirrors older than so many seconds, and repack those that stay; why some were not.

    A mirror goes when nobody asked it for a commit for that long; of one that stays, old commits
    beyond the last 50 are let go, and git repacks it. One that is in use, or that git fails at, is
    left as it is, and the others have their turn.
    """
    before = time.time() - older_than
    left: list[str] = []
    for lock in sorted((git.root / "mirrors").glob("*.lock")):
        try:
            _tend(git, lock, before)
        except RunError as error:
            left.append(f"{lock.stem}: {error}")
    return left


def _tend(git: Git, lock: Path, before: float) -> None:
    directory = lock.with_suffix(".git")
    with locked(lock, git.watch, LOCK_SECONDS) as held:
        # Asked under the lock: whoever had it may have fetched what nobody wanted for long.
        if lock.stat().st_mtime < before:
            shutil.rmtree(directory, ignore_errors=True)
        elif directory.is_dir():
            _tidy(git, directory, before, held)
        for left in lock.parent.glob(f"{lock.stem}.*.*"):
            shutil.rmtree(left, ignore_errors=True)


def _tidy(git: Git, directory: Path, before: float, held: int) -> None:
    names = "--format=%(committerdate:unix) %(refname)"
    result = git.run("for-each-ref", "--sort=-committerdate", names, KEPT, directory=directory)
    lines = [line.partition(" ") for line in result.out.decode().splitlines()]
    for date, _, name in lines[RECENT:]:
        if float(date) < before:
            git.run("update-ref", "-d", name, directory=directory, hold=(held,))
    git.run("gc", "--quiet", "--prune=2.days.ago", directory=directory, hold=(held,))
