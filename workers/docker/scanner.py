"""Runs sonar-scanner over a tree of files in a container that runs nothing of that tree."""

import posixpath
import tarfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from docker.errors import ImageNotFound
from docker.models.containers import Container

from workers.docker.archive import left
from workers.docker.checks import Limits, Outcome, confined, outcome_of, reports, watched
from workers.docker.containers import Output, remove
from workers.docker.engine import Engine
from workers.ledger.model.errors import OurError, PassingError, UserError
from workers.ledger.model.guard import Say, Watch

HOME = "/slipway"
SOURCE = f"{HOME}/source"
SETTINGS = f"{HOME}/settings/sonar-project.properties"
WORK = f"{HOME}/work"
RESULT = "report-task.txt"
_COMMAND = 'IFS= read -r SONAR_TOKEN && export SONAR_TOKEN && exec sonar-scanner "$@"'
"""The token comes on standard input: no record of the container or of the engine shows it."""


@dataclass(frozen=True)
class Tree:
    """What is scanned: a folder, but for the files `without`, and more files by their paths."""

    folder: Path
    without: frozenset[str]
    more: Mapping[str, bytes]


@dataclass(frozen=True)
class Scan:
    """How one scan is run: `properties` are the file's text, `arguments` go before them.

    `spool` is a folder for what is under way, `network` the name of one of the engine's.
    """

    image: str
    token: str
    arguments: Sequence[str]
    properties: str
    limits: Limits
    labels: Mapping[str, str]
    spool: Path
    network: str


def scan(
    engine: Engine, tree: Tree, asked: Scan, *, say: Say, watch: Watch
) -> tuple[Outcome, dict[str, str]]:
    """Scan a tree; how it ended, and what the scanner wrote down of the report it handed in.

    The container is removed whatever happens.

    Raises:
        PassingError: the engine does not answer.
        OurError: the engine refused the container.
    """
    container = _create(engine, asked)
    try:
        _fill(engine, container, tree, asked)
        output = Output(engine, container)
        started = time.monotonic()
        with engine.reached():
            container.start()
        _tell(engine, container, asked.token)
        killed = watched(engine, container, output, asked.limits, say=say, watch=watch)
        outcome = outcome_of(engine, container, time.monotonic() - started, killed)
        return outcome, _result(engine, container, asked.spool, watch)
    finally:
        remove(engine, container)


def _create(engine: Engine, asked: Scan) -> Container:
    command = ["sh", "-c", _COMMAND, "sonar-scanner", *asked.arguments]
    settings: dict[str, Any] = confined(
        command, asked.labels, asked.limits, network=asked.network
    ) | {"stdin_open": True, "working_dir": HOME}
    with engine.reached():
        try:
            return engine.client.containers.create(asked.image, **settings)
        except ImageNotFound as error:
            raise PassingError(f"the image {asked.image} is gone from the engine") from error


def _fill(engine: Engine, container: Container, tree: Tree, asked: Scan) -> None:
    asked.spool.mkdir(parents=True, exist_ok=True)
    packed = asked.spool / "tree.tar"
    with tarfile.open(packed, "w") as tar:
        _folder(tar, WORK, 0o777)
        _folder(tar, posixpath.dirname(SETTINGS), 0o755)
        _file(tar, SETTINGS, asked.properties.encode())
        _folder(tar, SOURCE, 0o755)
        tar.add(tree.folder, SOURCE, filter=lambda found: _plain(found, tree))
        for name, data in tree.more.items():
            _file(tar, f"{SOURCE}/{name}", data)
    with packed.open("rb") as whole, engine.reached():
        container.put_archive("/", whole)
    packed.unlink()


def _plain(found: tarfile.TarInfo, tree: Tree) -> tarfile.TarInfo | None:
    """Only folders and files: the scanner follows a link to wherever it leads in its container."""
    inside = found.name.removeprefix(SOURCE.lstrip("/")).lstrip("/")
    if inside in tree.without or inside in tree.more or not (found.isfile() or found.isdir()):
        return None
    found.mode = 0o755 if found.isdir() else 0o644
    found.uid = found.gid = 0
    found.uname = found.gname = ""
    return found


def _folder(tar: tarfile.TarFile, path: str, mode: int) -> None:
    info = tarfile.TarInfo(path.lstrip("/"))
    info.type, info.mode = tarfile.DIRTYPE, mode
    tar.addfile(info)


def _file(tar: tarfile.TarFile, path: str, data: bytes) -> None:
    info = tarfile.TarInfo(path.lstrip("/"))
    info.size, info.mode = len(data), 0o644
    tar.addfile(info, BytesIO(data))


def _tell(engine: Engine, container: Container, token: str) -> None:
    with engine.reached():
        stream: Any = container.attach_socket(params={"stdin": 1, "stream": 1})
        with closing(stream):
            # docker-py wraps a plain socket and hands out one with TLS as it is.
            getattr(stream, "_sock", stream).sendall(f"{token}\n".encode())


def _result(engine: Engine, container: Container, spool: Path, watch: Watch) -> dict[str, str]:
    """The lines `name=value` of report-task.txt; none when the scanner did not write it."""
    try:
        found = reports.fetch(
            lambda path: left(engine, container, path, watch), f"work/{RESULT}", spool / RESULT
        )
    except (UserError, OurError):
        return {}
    text = found.read(RESULT).decode(errors="replace")
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value.strip() for name, equals, value in pairs if equals and name.isidentifier()}
