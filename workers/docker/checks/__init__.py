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
from workers.docker.containers import Killed, Output, follow, remove, state
from workers.docker.engine import Engine
from workers.ledger.model.errors import OurError, UserError
from workers.ledger.model.guard import Say, Watch

Fetch = Callable[[str], AbstractContextManager[Iterator[bytes]]]
"""Opens the tar of a path below the working folder of a container that has ended."""

Collect = Callable[[Fetch], None]


@dataclass(frozen=True)
class Limits:
    """What one check may use: memory as Docker writes it ("2g"), processors, processes, seconds.

    `disk` are the bytes that it may write.
    """

    memory: str
    cpus: float
    pids: int
    seconds: float
    disk: int = 10 << 30


@dataclass(frozen=True)
class Outcome:
    """How a check ended."""

    exit_code: int
    seconds: float
    timed_out: bool
    out_of_memory: bool
    out_of_disk: bool = False


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
        killed = watched(engine, container, output, limits, say=say, watch=watch)
        outcome = outcome_of(engine, container, time.monotonic() - started, killed)
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


def watched(  # noqa: PLR0913 - as many as it needs
    engine: Engine, container: Container, output: Output, limits: Limits, *, say: Say, watch: Watch
) -> Killed:
    """Hand on the output until the container has ended, at its limits at the latest.

    Raises:
        PassingError: the engine went away.
    """
    allowed: Any = {"seconds": limits.seconds, "disk": limits.disk}
    return follow(engine, container, output, **allowed, say=say, watch=watch)


def outcome_of(engine: Engine, container: Container, seconds: float, killed: Killed) -> Outcome:
    """How a container ended that was watched for so many seconds.

    Raises:
        PassingError: the engine does not answer.
    """
    ended = state(engine, container)
    return Outcome(
        ended["ExitCode"],
        seconds,
        timed_out=killed == "time",
        out_of_memory=ended["OOMKilled"],
        out_of_disk=killed == "disk",
    )
