"""Reads a file of the source tree, which may be anything that a repository can hold."""

from pathlib import Path

from workers.ledger.model.errors import UserError


def folder(root: Path, name: str) -> Path:
    """A folder of the source tree, itself for an empty name; a link is followed within it.

    Raises:
        UserError: it is missing, no folder, or outside of the tree.
    """
    if not name:
        return root
    found = _found(root, name)
    if not found.is_dir():
        raise UserError(f"{name} is not a folder")
    return found


def read(folder: Path, name: str, most: int) -> bytes:
    """The bytes of a file of the folder; a link is followed within it.

    Raises:
        UserError: it is missing, no file, outside of the folder, or has more than `most` bytes.
    """
    file = _found(folder, name)
    if not file.is_file():
        raise UserError(f"{name} is not a file")
    with file.open("rb") as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise UserError(f"{name} has more than {most} bytes, which is all that is read of it")
    return data


def _found(root: Path, name: str) -> Path:
    try:
        file = (root / name).resolve(strict=True)
    except (OSError, RuntimeError) as error:  # Python 3.11 and 3.12 call a circle a RuntimeError
        why = getattr(error, "strerror", None) or "its links lead round in a circle"
        raise UserError(f"{name} can't be read: {why}") from None
    if not file.is_relative_to(root.resolve()):
        raise UserError(f"{name} lies outside the repository")
    return file
