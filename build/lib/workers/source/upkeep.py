"""Keeping the disk tidy: mirrors and workspaces that nobody asked for in a while."""

import shutil
import time
from pathlib import Path

from workers.source.git import Git
from workers.source.lock import locked
from workers.source.mirror import KEPT

RECENT = 50
"""Fetched commits that a mirror keeps, whatever their age."""


def prune(git: Git, older_than: float, workspaces: Path | None = None) -> None:
    """Remove what is older than so many seconds, and repack the mirrors that stay.

    A mirror goes when nobody asked it for a commit for that long; of one that stays, old commits
    beyond the last 50 are let go, and git repacks it. In `workspaces`, each directory counts.

    Raises:
        PassingError: a mirror was in use for a minute; call again later.
    """
    before = time.time() - older_than
    for lock in sorted((git.root / "mirrors").glob("*.lock")):
        unused = lock.stat().st_mtime < before
        directory = lock.with_suffix(".git")
        with locked(lock, git.watch, seconds=60) as held:
            if unused:
                shutil.rmtree(directory, ignore_errors=True)
            elif directory.is_dir():
                _tidy(git, directory, before, held)
            for left in lock.parent.glob(f"{lock.stem}.*.*"):
                shutil.rmtree(left, ignore_errors=True)
    for workspace in workspaces.iterdir() if workspaces and workspaces.is_dir() else ():
        if workspace.lstat().st_mtime < before:
            shutil.rmtree(workspace, ignore_errors=True)


def _tidy(git: Git, directory: Path, before: float, held: int) -> None:
    names = "--format=%(committerdate:unix) %(refname)"
    result = git.run("for-each-ref", "--sort=-committerdate", names, KEPT, directory=directory)
    lines = [line.partition(" ") for line in result.out.decode().splitlines()]
    for date, _, name in lines[RECENT:]:
        if float(date) < before:
            git.run("update-ref", "-d", name, directory=directory, hold=(held,))
    git.run("gc", "--quiet", "--prune=2.days.ago", directory=directory, hold=(held,))
