"""Which Dockerfile builds a function: the repository's own, or a preset for its runtime."""

import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple

from config.building import folder
from config.pipeline import Pipeline
from workers.docker.presets.files import Below, Files, Folder, Remembered
from workers.docker.presets.others import seen
from workers.docker.presets.preset import Order, Preset
from workers.docker.presets.table import PRESETS, serving
from workers.ledger.model.errors import UserError

__all__ = ["Below", "Files", "Folder", "Recipe", "Remembered", "recipe", "recipes"]

DOCKERFILE = "Dockerfile"
DOCKERFILES = (DOCKERFILE, "dockerfile")
HELP = "docs/building.md has what to write"
# A path that needs no quoting in a Dockerfile.
_PLAIN = re.compile(r"[A-Za-z0-9._/][A-Za-z0-9._/-]*")
_GLOB = re.compile(r"[*?\[]")


class Recipe(NamedTuple):
    """What to build: the repository's `dockerfile`, or the preset `text`; files are at `path`.

    `context` is the folder of the repository that is copied from, `target` a Dockerfile's stage.
    `shared` are includes that lie beside a function's own folder, and come besides its files.
    """

    dockerfile: str
    text: str
    path: str
    context: str = ""
    target: str | None = None
    shared: tuple[str, ...] = ()


def recipes(pipeline: Pipeline, files: Files, where: str) -> dict[str, Recipe]:
    """What builds each function; `where` names the files in errors, such as `commit 1234567`.

    Raises:
        UserError: a Dockerfile is missing, and no preset or more than one would do.
    """
    known = Remembered(files)
    seen: dict[Recipe, Recipe] = {}  # equal texts are kept once, which may be a megabyte each
    found = ((name, recipe(pipeline, name, known, where)) for name in pipeline.functions)
    return {name: seen.setdefault(one, one) for name, one in found}


def recipe(pipeline: Pipeline, function: str, files: Files, where: str) -> Recipe:
    """What builds one function.

    Raises:
        UserError: its Dockerfile is missing, and no preset or more than one would do.
    """
    place = pipeline.place(function)
    if place.source and not files.names(place.source):
        raise UserError(
            f"{place.source} is not a folder with files in {where}: [functions.{function}] names it"
            " as its source"
        )
    preset = pipeline.build.preset
    named = pipeline.functions[function].dockerfile or (not preset and place.dockerfile)
    asked = place.dockerfile if named else None
    names = [asked] if asked else [posixpath.join(place.source, name) for name in DOCKERFILES]
    found = next((name for name in names if files.exists(name)), None)
    if found and (asked or not preset):
        return Recipe(found, "", place.path, place.context, place.target)
    if asked:
        raise UserError(f"{asked} is not in {where}: {_needs(pipeline, function)} needs it")
    return _by_preset(pipeline, function, files, where, names[0])


def _needs(pipeline: Pipeline, function: str) -> str:
    return f"[functions.{function}]" if pipeline.functions[function].dockerfile else "[build]"


def _by_preset(pipeline: Pipeline, function: str, files: Files, where: str, name: str) -> Recipe:
    own, place, chosen = pipeline.functions[function], pipeline.place(function), pipeline.build
    here = Below(files, place.source) if place.source else files
    missing = f"{name} is not in {where}, and" if not chosen.preset else f"in {where}"
    if chosen.preset is False:
        raise UserError(f"{missing} [build] preset is false: write one, or take the key out")
    if own.runtime is None:
        raise UserError(
            f"{missing} [functions.{function}] names no runtime to choose a preset by: add one,"
            f" such as {_such_as(here)}, or a Dockerfile; {HELP}"
        )
    shared = _shared(pipeline, function, files, here) if place.source else ()
    order = Order(
        version="",
        files=here,
        path=place.path,
        args=sorted(chosen.args),
        handler=own.handler or "",
        script=chosen.script,
        include=_plain(pipeline, function, here),
    )
    try:
        preset, version = _serving(own.runtime, here, chosen.preset or "")
        home = _home(preset, files, place.source, here)
        context = "" if shared else home
        at, above = (_below(one, context) for one in (place.source, home))
        top = Below(files, home) if home else files
        order = order._replace(version=version, at=at, home=above, top=top)
        _check_plain(order, shared)
        *body, end = preset.lines(order)
    except UserError as error:
        raise UserError(
            f"{missing} no preset does for {function} ({own.runtime}): {error}; {HELP}"
        ) from None
    body += [f"COPY {one} {order.path}/{one}" for one in shared]
    head = f"# Slipway's preset for {own.runtime}; a {DOCKERFILE} takes its place."
    return Recipe("", "\n".join((head, *body, end)), place.path, context, shared=shared)


def _home(preset: Preset, files: Files, source: str, here: Files) -> str:
    """The folder, at or above the source, that has what builds it."""
    names = preset.above(here) if source else ()
    folders = [source]
    while names and folders[-1]:
        folders.append(posixpath.dirname(folders[-1]))
    return next(
        (one for one in folders if any(files.exists(posixpath.join(one, n)) for n in names)),
        source,
    )


def _below(path: str, context: str) -> str:
    """A folder as Dockerfiles name it in a context: nothing for itself, else with a slash."""
    return "" if path == context else f"{path[len(context) :].lstrip('/')}/"


def _plain(pipeline: Pipeline, function: str, here: Files) -> tuple[str, ...]:
    """The includes that are paths of the function's own folder."""
    include, _ = pipeline.selection(function)
    paths = dict.fromkeys(folder(one) for one in include if not _GLOB.search(one))
    return tuple(one for one in paths if _PLAIN.fullmatch(one) and here.exists(one))


def _shared(pipeline: Pipeline, function: str, files: Files, here: Files) -> tuple[str, ...]:
    """The includes that are paths of the repository, and none of the function's own folder."""
    include, _ = pipeline.selection(function)
    paths = [folder(one) for one in include if not _GLOB.search(one)]
    return tuple(
        one for one in dict.fromkeys(paths) if one and not here.exists(one) and files.exists(one)
    )


def _such_as(files: Files) -> str:
    """A runtime of the language that the files show."""
    found = next((preset for preset in PRESETS if preset.detect(files)), PRESETS[0])
    return f'runtime = "{found.such_as}"'


def _check_plain(order: Order, shared: Sequence[str]) -> None:
    for what, path in (
        ("[build] path", order.path),
        *(("source", one) for one in (order.at, order.home) if one),
        *(("include", one) for one in shared),
    ):
        if not _PLAIN.fullmatch(path):
            raise UserError(f"{what} {path!r} is not of letters, digits, '.', '_', '-' and '/'")


def _serving(runtime: str, files: Files, wanted: str) -> tuple[Preset, str]:
    """The preset of a runtime and the version, which fit what is wanted and what is there."""
    names = [preset.name for preset in PRESETS]
    if wanted and wanted not in names:
        raise UserError(f"[build] preset {wanted!r} is none; there are: {', '.join(names)}")
    found = serving(runtime)
    if found is None:
        raise UserError(_none(files))
    preset, _ = found
    if wanted not in ("", preset.name):
        raise UserError(f"[build] preset is {wanted!r}, and that runtime is {preset.language}'s")
    if not preset.detect(files) and (other := _elsewhere(files)):
        raise UserError(f"{_looked(preset.manifests)}; {other}")
    return found


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
