"""Which Dockerfile builds a function: the repository's own, or a preset for its runtime."""

import re
from typing import NamedTuple

from config.pipeline import Pipeline
from workers.docker.presets.files import Below, Files, Folder
from workers.docker.presets.others import seen
from workers.docker.presets.preset import Order
from workers.docker.presets.table import PRESETS, serving
from workers.ledger.model.errors import UserError

__all__ = ["Below", "Files", "Folder", "Recipe", "recipe"]

DOCKERFILE = "Dockerfile"
HELP = "docs/presets.md has what presets need"
# A path that needs no quoting in a Dockerfile.
_PLAIN = re.compile(r"/[A-Za-z0-9._/-]*")


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
            f"choose a preset by: add one, such as {_such_as(files)}, or a Dockerfile; {HELP}"
        )
    try:
        text = _preset(runtime, files, path, sorted(pipeline.build.args))
    except UserError as error:
        raise UserError(
            f"{DOCKERFILE} is not in {where}, and no preset does for {function} ({runtime}):"
            f" {error}; {HELP}"
        ) from None
    return Recipe("", text, path)


def _such_as(files: Files) -> str:
    """A runtime of the language that the files show."""
    found = next((preset for preset in PRESETS if preset.detect(files)), PRESETS[0])
    return f'runtime = "{found.such_as}"'


def _preset(runtime: str, files: Files, path: str, args: list[str]) -> str:
    if not _PLAIN.fullmatch(path):
        raise UserError(f"[build] path {path!r} is not of letters, digits, '.', '_', '-' and '/'")
    found = serving(runtime)
    if found is None:
        raise UserError(_none(files))
    preset, version = found
    if not preset.detect(files) and (other := _elsewhere(files)):
        raise UserError(f"{_looked(preset.manifests)}; {other}")
    body = preset.lines(Order(version, files, path, args))
    return "\n".join((f"# Slipway's preset for {runtime}; a {DOCKERFILE} takes its place.", *body))


def _looked(names: tuple[str, ...]) -> str:
    return f"looked for {', '.join(names)}, found none"


def _none(files: Files) -> str:
    languages = ", ".join(f"{preset.language} ({preset.such_as})" for preset in PRESETS)
    return f"there are presets for {languages}" + (f"; {seen(files)}" if seen(files) else "")


def _elsewhere(files: Files) -> str:
    """What the files show instead, in words."""
    for preset in PRESETS:
        if name := preset.detect(files):
            return (
                f'{name} is there: is the runtime rather {preset.language}\'s, "{preset.such_as}"?'
            )
    return seen(files)
