"""Which Dockerfile builds a function: the repository's own, or a preset for its runtime."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from config.limits import MANIFEST
from config.pipeline import Pipeline
from workers.docker.presets import go, node, python
from workers.ledger.model.errors import UserError

DOCKERFILE = "Dockerfile"
# A path that needs no quoting in a Dockerfile.
_PLAIN = re.compile(r"/[A-Za-z0-9._/-]*")


class Files(Protocol):
    """The files of one commit or folder, by their path in it."""

    def exists(self, path: str) -> bool:
        """Whether there is anything of that path."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file, None where there is nothing."""


class Recipe(NamedTuple):
    """What to build: the repository's `dockerfile`, or the preset `text`; files are at `path`."""

    dockerfile: str
    text: str
    path: str


def recipe(pipeline: Pipeline, function: str, files: Files, where: str) -> Recipe:
    """What builds a function; `where` names the files in errors, such as `commit 1234567`.

    Raises:
        UserError: its Dockerfile is missing, and no preset or more than one would do.
    """
    asked, path = pipeline.place(function)
    name = asked or DOCKERFILE
    if files.exists(name):
        return Recipe(name, "", path)
    if asked:
        raise UserError(f"{asked} is not in {where}: [build] needs it")
    runtime = pipeline.functions[function].runtime
    if runtime is None:
        raise UserError(
            f"{DOCKERFILE} is not in {where}, and [functions.{function}] names no runtime to "
            'choose a preset by: add one, such as runtime = "python3.13", or a Dockerfile; '
            "docs/presets.md has what presets need"
        )
    try:
        text = _preset(runtime, files, path, sorted(pipeline.build.args))
    except UserError as error:
        raise UserError(
            f"{DOCKERFILE} is not in {where}, and no preset does for {function} ({runtime}):"
            f" {error}; docs/presets.md has what presets need"
        ) from None
    return Recipe("", text, path)


def _preset(runtime: str, files: Files, path: str, args: Sequence[str]) -> str:
    if not _PLAIN.fullmatch(path):
        raise UserError(f"[build] path {path!r} is not of letters, digits, '.', '_', '-' and '/'")
    if match := re.fullmatch(r"python(3\.[0-9]{1,3})", runtime):
        body = python.lines(match[1], files.exists, files.read, path)
    elif match := re.fullmatch(r"nodejs([0-9]{1,3})\.x", runtime):
        body = node.lines(match[1], files.exists, files.read, path, args)
    elif runtime.startswith("provided"):
        body = go.lines(files.exists, files.read, path, args)
    else:
        raise UserError("there are presets for python, nodejs, and Go on provided.al2023")
    return "\n".join((f"# Slipway's preset for {runtime}; a {DOCKERFILE} takes its place.", *body))


class Folder:
    """The files of a folder on this machine; links are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def exists(self, path: str) -> bool:
        """Whether there is anything of that path."""
        return os.path.lexists(self._root / path)

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
