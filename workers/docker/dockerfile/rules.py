"""Refuses a Dockerfile that would go where its build may not, before the engine sees it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from docker.errors import ImageNotFound

from config.masker import cut
from workers.docker.bounds import Bounds
from workers.docker.dockerfile import names
from workers.docker.dockerfile.reach import Fetch, fetches
from workers.docker.engine import Engine
from workers.ledger.model.errors import UserError

_MOST_IMAGES = 100
_SHOWN = 200


def refuse(  # noqa: PLR0913, PLR0917 - what is judged, and by what
    engine: Engine, file: Path, name: str, args: Mapping[str, str], bounds: Bounds, network: str
) -> None:
    """Do nothing, unless a Dockerfile goes out or asks for power that it may not have.

    `name` is the file's in errors, `network` what the build's steps get. Without one, ADD
    fetches nothing; where the operator gives none, images are those that the engine holds or
    that the operator names.

    Raises:
        UserError: with the line.
        PassingError: the engine does not answer.
    """
    text = file.read_bytes().decode(errors="surrogateescape").removeprefix("\ufeff")
    judge = _Judge(engine, bounds, network)
    for one in fetches(text, args):
        why = judge.why_not(one)
        if why:
            raise UserError(f"{name}:{one.line}: {why}")


def may_have(engine: Engine, images: Iterable[str], bounds: Bounds) -> bool:
    """Whether all of some images may be fetched, or are there.

    Raises:
        PassingError: the engine does not answer.
    """
    judge = _Judge(engine, bounds, bounds.network)
    return not any(judge.why_not(Fetch(1, "image", one, one)) for one in images)


class _Judge:
    """Says of one thing after another why it may not be; each image is looked for once."""

    def __init__(self, engine: Engine, bounds: Bounds, network: str) -> None:
        self._engine, self._bounds, self._network = engine, bounds, network
        self._good: set[str] = set()

    def why_not(self, one: Fetch) -> str:
        """Why, in a sentence; empty if it may."""
        shown = cut(one.written, _SHOWN)
        if one.kind in ("network", "security"):
            allowed = one.kind == "network" and self._network == "host"
            return "" if allowed else f"RUN asks for --{one.kind}={shown}: take it out"
        if one.kind == "remote":
            return "" if self._network != "none" else _REMOTE.format(shown)
        if self._bounds.network != "none" or one.name in self._good:
            return ""
        return self._image(one.name, shown)

    def _image(self, name: str | None, shown: str) -> str:
        image = names.image(name) if name else None
        if name is None or image is None:
            return f"which image {shown!r} is can't be told from the file: write its name out"
        if len(self._good) >= _MOST_IMAGES:
            return f"more than {_MOST_IMAGES} images: split the file"
        if image.matches(self._bounds.images) or self._holds(name, image):
            self._good.add(name)
            return ""
        return _IMAGE.format(shown)

    def _holds(self, name: str, image: names.Image) -> bool:
        """Whether the engine has it by this very name: it also finds images by parts of ids."""
        with self._engine.reached():
            api: Any = self._engine.client.api
            try:
                found = api.inspect_image(name)
            except ImageNotFound:
                return False
        held = (*(found.get("RepoTags") or ()), *(found.get("RepoDigests") or ()))
        wanted = set(image.names)
        return any(wanted & set(known.names) for known in map(names.image, held) if known)


_REMOTE = (
    "ADD fetches {0!r} (or might), and this build has no network: put the file into the"
    " repository, or let the build have a network; a path with a variable begins with ./"
)
_IMAGE = (
    "the image {0!r} is not on the Docker engine, and this build has no network to fetch it:"
    " use one that is there, or ask the operator, who pulls it or names it in [builds] images"
)
