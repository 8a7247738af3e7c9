"""The files of a commit or folder, as presets look at them."""

import functools
import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from config.limits import LISTED, MANIFEST
from workers.ledger.model.errors import UserError


class Files(Protocol):
    """The files of one commit or folder, by their path in it."""

    def exists(self, path: str) -> bool:
        """Whether there is anything of that path."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file, None where there is nothing."""

    def names(self, folder: str = "") -> Sequence[str]:
        """The names in a folder, sorted; none where there is no folder."""


def has(files: Files, path: str) -> bool:
    """Whether there is anything of that path, known from its folder's names: one look for many."""
    folder, name = posixpath.split(path)
    names = files.names(folder)
    return name in names if len(names) < LISTED else files.exists(path)


@dataclass(frozen=True)
class Below:
    """The files below a folder of others, by their path in it."""

    files: Files
    folder: str

    def exists(self, path: str) -> bool:
        """Whether there is anything of that path."""
        return self.files.exists(self._whole(path))

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file, None where there is nothing."""
        return self.files.read(self._whole(path))

    def names(self, folder: str = "") -> Sequence[str]:
        """The names in a folder, sorted; none where there is no folder."""
        return self.files.names(self._whole(folder))

    def _whole(self, path: str) -> str:
        return posixpath.join(self.folder, path) if path else self.folder


class Folder:
    """The files of a folder on this machine; links are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def exists(self, path: str) -> bool:
        """Whether there is anything of that path, and no link leads there."""
        return os.path.lexists(self._root / path) and not self._through_a_link(path)

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file, None where there is nothing.

        Raises:
            UserError: it is a link or a folder, or has more than 1 MB.
        """
        file = self._root / path
        if not self.exists(path):
            return None
        if file.is_symlink() or not file.is_file() or file.stat().st_size > MANIFEST:
            raise UserError(f"{path} is not a regular file of at most {MANIFEST} bytes")
        return file.read_bytes()

    def names(self, folder: str = "") -> Sequence[str]:
        """The first 10,000 names in a folder, sorted; none where there is no folder."""
        path = self._root / folder
        if path.is_symlink() or not path.is_dir() or self._through_a_link(folder):
            return ()
        return tuple(sorted(one.name for one in path.iterdir())[:LISTED])

    def _through_a_link(self, path: str) -> bool:
        parents = Path(path).parents
        return any((self._root / one).is_symlink() for one in parents if one != Path())


class Remembered:
    """The files of another, each asked for once: many functions ask for the same."""

    def __init__(self, files: Files) -> None:
        self.exists = functools.cache(files.exists)
        self.read = functools.cache(files.read)
        self.names = functools.cache(files.names)
