"""A working copy on this machine, copied as a commit of it would be exported."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from workers.ledger.model.errors import UserError
from workers.source.git import Git, Result

NO_COMMIT = "0" * 40


class Copied(NamedTuple):
    """The commit and branch that the working copy stands on; zeros and nothing without git."""

    commit: str
    branch: str


def copy(path: Path, target: Path) -> Copied:
    """Copy what a commit of everything there would hold into `target`, which must not exist yet.

    In a git work tree that is what git tracks or would track, without what it ignores; elsewhere
    all files. Links stay links, modes become 644 and 755, a submodule an empty folder.

    Raises:
        UserError: there is no such folder, or git can't read it.
    """
    if not path.is_dir():
        raise UserError(f"there is no folder {path}")
    git = Git(path)
    # A folder below the top of its repository is as good as the top.
    inside = {"GIT_CEILING_DIRECTORIES": ""}
    listed = git.run("ls-files", "-z", "-co", "--exclude-standard", "--", ".", variables=inside)
    if listed.code and "not a git repository" not in listed.complaint:
        raise UserError(f"git can't read {path}: {listed.complaint.strip()}")
    names = _all(path) if listed.code else _names(listed)
    target.mkdir(parents=True)
    modes = None if listed.code else _modes(git, inside)
    for name in names:
        _copy(path / name, target / name)
        if modes is not None:
            _set_mode(target / name, executable=name in modes)
    if listed.code:
        return Copied(NO_COMMIT, "")
    commit = git.run("rev-parse", "--verify", "--quiet", "HEAD", variables=inside)
    branch = git.run("symbolic-ref", "--short", "--quiet", "HEAD", variables=inside)
    return Copied(_word(commit) or NO_COMMIT, _word(branch))


def _modes(git: Git, inside: dict[str, str]) -> set[str] | None:
    """The files that git has as executable, where it doesn't go by the disk's modes; else None."""
    # The repository's own word: Slipway's git goes by the disk.
    asked = git.run("config", "--local", "--type=bool", "--get", "core.fileMode", variables=inside)
    if _word(asked) != "false":
        return None
    listed = git.run("ls-files", "-z", "--stage", "--", ".", variables=inside)
    entries = (entry.partition(b"\t") for entry in listed.out.split(b"\0") if entry)
    return {os.fsdecode(name) for about, _, name in entries if about.startswith(b"100755")}


def _set_mode(file: Path, *, executable: bool) -> None:
    if file.is_file() and not file.is_symlink():
        file.chmod(0o755 if executable else 0o644)


def _names(listed: Result) -> Iterator[str]:
    # With a conflict a name comes several times; a nested repository ends with a slash.
    found = dict.fromkeys(os.fsdecode(name) for name in listed.out.split(b"\0") if name)
    return (name for name in found if not name.endswith("/"))


def _all(path: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(path):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        yield from (os.path.relpath(Path(folder, name), path) for name in (*files, *links))


def _copy(source: Path, target: Path) -> None:
    if not os.path.lexists(source):
        return  # tracked, and removed since
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir()
    elif source.is_file():
        shutil.copyfile(source, target)
        target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def _word(result: Result) -> str:
    return "" if result.code else result.out.decode(errors="replace").strip()
