"""Runs one check in its own container, with limits and without credentials."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError, ImageNotFound
from docker.models.containers import Container
from docker.types import LogConfig

from workers.docker.archive import left
from workers.docker.containers import Output, follow, remove, state
from workers.docker.engine import Engine
from workers.errors import OurError, UserError
from workers.guard import Say, Watch

Fetch = Callable[[str], AbstractContextManager[Iterator[bytes]]]
"""Opens the tar of a path below the working folder of a container that has ended."""

Collect = Callable[[Fetch], None]


@dataclass(frozen=True)
class Limits:
    """What one check may use: memory as Docker writes it ("2g"), processors, processes, seconds."""

    memory: str
    cpus: float
    pids: int
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """How a check ended."""

    exit_code: int
    seconds: float
    timed_out: bool
    out_of_memory: bool


def run_check(  # noqa: PLR0913 - a check has that many sides
    engine: Engine,
    image: str,
    command: str,
    *,
    name: str,
    labels: Mapping[str, str],
    limits: Limits,
    network: str,
    say: Say,
    watch: Watch,
    collect: Collect | None = None,
) -> Outcome:
    """Run `sh -c command` in a container of the image, which is removed whatever happens.

    `network` is the name of one of the engine's; `host` is the machine's own. `collect` gets to
    fetch what the check left, before that goes.

    Raises:
        UserError: the image can't run `sh`, or its user.
        PassingError: the engine does not answer.
        OurError: the engine refused the container.
    """
    settings = confined(["sh", "-c", command], labels, limits, network=network)
    container = _create(engine, image, settings)
    try:
        output = Output(engine, container)
        started = time.monotonic()
        _start(engine, container, name)
        timed_out = follow(engine, container, output, seconds=limits.seconds, say=say, watch=watch)
        outcome = _outcome(engine, container, time.monotonic() - started, timed_out=timed_out)
        if collect is not None:
            collect(lambda path: left(engine, container, path, watch))
        return outcome
    finally:
        remove(engine, container)


def confined(
    command: list[str], labels: Mapping[str, str], limits: Limits, *, network: str
) -> dict[str, Any]:
    """How a container is made that has a command, limits, and no power over anything else."""
    return {
        "entrypoint": command,
        "labels": dict(labels),
        "network_mode": network,
        "mem_limit": limits.memory,
        "memswap_limit": limits.memory,
        "nano_cpus": int(limits.cpus * 1e9),
        "pids_limit": limits.pids,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "init": True,
        # What is printed is read live; kept on the engine's disk it could fill it.
        "log_config": LogConfig(type="none"),
    }


def _create(engine: Engine, image: str, settings: dict[str, Any]) -> Container:
    with engine.reached():
        try:
            return engine.client.containers.create(image, **settings)
        except ImageNotFound as error:
            raise OurError(f"the image {image} is gone from the engine: retry the run") from error


def _start(engine: Engine, container: Container, name: str) -> None:
    with engine.reached():
        try:
            container.start()
        except APIError as error:
            why = str(error.explanation or error).strip()
            if re.search(r'exec: "sh"|unable to find (user|group)', why):
                raise UserError(
                    f"the check {name} can't start in its image, which needs `sh` and the user"
                    f" that it names: {why}"
                ) from error
            raise


def _outcome(engine: Engine, container: Container, seconds: float, *, timed_out: bool) -> Outcome:
    ended = state(engine, container)
    return Outcome(ended["ExitCode"], seconds, timed_out, out_of_memory=ended["OOMKilled"])
