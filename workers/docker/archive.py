"""Takes files out of an image without running anything of it."""

import base64
import json
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from docker.errors import ImageNotFound
from docker.models.containers import Container

from workers.docker.containers import remove
from workers.docker.engine import Engine
from workers.ledger.model.errors import OurError, UserError
from workers.ledger.model.guard import Watch

_CHUNK = 1 << 20
_GO_LINK = 1 << 27  # Go's os.ModeSymlink


@contextmanager
def export(
    engine: Engine, image: str, path: str, labels: Mapping[str, str], watch: Watch
) -> Iterator[Iterator[bytes]]:
    """The tar of a path in the image, as chunks of bytes; `path` is absolute.

    The stream is that of a container which is created, never started, and removed at the end.

    Raises:
        UserError: the image holds no such path.
        PassingError: the engine does not answer, or went away while the stream was read.
        OurError: the engine has no such image, or refused.
    """
    container = _create(engine, image, labels)
    try:
        with _open(engine, container, path) as response:
            yield _chunks(engine, response, watch)
    finally:
        remove(engine, container)


@contextmanager
def left(
    engine: Engine, container: Container, path: str, watch: Watch
) -> Iterator[Iterator[bytes]]:
    """The tar of what a container that has ended left at a path below its working folder.

    Raises:
        UserError: there is nothing, or a link stands on the way.
        PassingError: the engine does not answer, or went away while the stream was read.
    """
    folder = container.attrs["Config"]["WorkingDir"] or "/"
    place = folder
    for part in (part for part in path.split("/") if part not in ("", ".")):
        place = posixpath.join(place, part)
        if _is_link(engine, container, place):
            raise UserError(f"{place!r} is a link")
    with _open(engine, container, place) as response:
        yield _chunks(engine, response, watch)


def _is_link(engine: Engine, container: Container, path: str) -> bool:
    api = engine.client.api
    with engine.reached():
        answer = api.head(
            f"{api.base_url}/v{api.api_version}/containers/{container.id}/archive",
            params={"path": path},
            timeout=api.timeout,
        )
    if not answer.ok:
        raise UserError(f"there is no {path!r}")
    found = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
    return bool(found["mode"] & _GO_LINK)


def _create(engine: Engine, image: str, labels: Mapping[str, str]) -> Container:
    with engine.reached():
        try:
            return engine.client.containers.create(
                image, entrypoint=["none"], labels=dict(labels), network_mode="none"
            )
        except ImageNotFound as error:
            raise OurError(f"the image {image} is gone from the engine: retry the run") from error


def _open(engine: Engine, container: Container, path: str) -> requests.Response:
    # With the dot a link is followed and names begin with "./", whatever the folder's name.
    response = _get(engine, container, path.rstrip("/") + "/.")
    if "not a directory" in _refusal(response):
        response = _get(engine, container, path)
    if why := _refusal(response):
        if response.status_code == requests.codes.not_found:
            folder = (container.attrs.get("Config") or {}).get("WorkingDir") or "/"
            raise UserError(
                f"there is no {path} in the image, whose last stage works in {folder}: set [build]"
                " path in slipway.toml, or `target` to the stage that has the files, or a preset"
                " where the Dockerfile is for something else"
            )
        raise OurError(f"Docker refused to give out {path}: {why}")
    return response


def _get(engine: Engine, container: Container, path: str) -> requests.Response:
    # Not docker-py's get_archive: its response can't be closed, and the engine keeps a container
    # locked, so that it can't be removed, until the stream has been read or closed.
    api = engine.client.api
    with engine.reached():
        return api.get(
            f"{api.base_url}/v{api.api_version}/containers/{container.id}/archive",
            params={"path": path},
            headers={"Accept-Encoding": "identity"},  # or the engine spends its time on gzip
            stream=True,
            timeout=api.timeout,
        )


def _refusal(response: requests.Response) -> str:
    return "" if response.ok else response.text.strip() or response.reason


def _chunks(engine: Engine, response: requests.Response, watch: Watch) -> Iterator[bytes]:
    while True:
        watch.check()
        with engine.reached():
            chunk = response.raw.read(_CHUNK)
        if not chunk:
            return
        yield chunk
