"""Everything that a run needs, embedded: engine, Redis, AWS, GitHub and Slipway's processes."""

import os
import secrets
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from demo.example import Example
from demo.screen import Screen
from demo.surroundings import CACHE
from local.process import Process, SetUpError, wait_for_http
from local.redis import EmbeddedRedis
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.engine import Engine
from tests.stand_ins.github import TOKEN, GitHub
from tests.stand_ins.images import ensure_images
from tests.stand_ins.slipway import Slipway
from workers.docker import litter
from workers.docker.engine import Engine as EngineClient
from workers.ledger.model.errors import RunError

BUCKET = "deployment-packages-watchlist"
READY = "ready"
START_SECONDS = 60
PERSON = "demo"
OPERATOR = f"""
[environments.sandbox]
branch = "develop"

[environments.staging]
branch = "preprod"

[environments.production]
branch = "master"

[[repositories]]
name = "watchlist/*"
functions = ["*"]
bucket = "{BUCKET}"
"""


@dataclass(frozen=True)
class World:
    """The parts, running."""

    aws: AwsStandIn
    github: GitHub
    slipway: Slipway
    token: str

    def dead(self) -> Process | None:
        """One of Slipway's processes that has ended by itself, if any."""
        return next((p for p in self.slipway.processes.values() if not p.running), None)


def world(stack: ExitStack, example: Example, folder: Path, screen: Screen) -> World:
    """Start the parts; `stack` stops them, the last one first.

    Each one's end is prepared before its beginning, so that a signal in between leaves nothing.

    Raises:
        SetUpError: what did not start, its last words, and what to do.
    """
    engine = start_engine(stack, screen)
    parts = _launch(stack, example, folder, engine, screen)
    with screen.step("base images") as images:
        say = lambda text: screen.change(images, "running", text)  # noqa: E731 - one line
        ensure_images(engine.host, example.images, CACHE, say)
        images.detail = ", ".join(example.images)
    _wait(parts, example, screen)
    return parts


def start_engine(stack: ExitStack, screen: Screen) -> Engine:
    """A Docker engine: the one that answers, or one of our own."""
    engine, row = Engine(CACHE), screen.begin("Docker engine")
    engine.say = lambda text: screen.change(row, "running", text)
    stack.callback(engine.stop)
    engine.start()
    screen.end(row, f"{'a private one' if engine.private else 'yours'} at {engine.host}")
    return engine


def _launch(
    stack: ExitStack, example: Example, folder: Path, engine: Engine, screen: Screen
) -> World:
    """Start all processes at once; they get ready while the base images are looked at."""
    with screen.step("Redis, GitHub stand-in") as row:
        redis = EmbeddedRedis(folder / "redis")
        stack.callback(redis.stop)
        redis.start()
        github = GitHub(folder / "github")
        stack.callback(github.stop)
        github.start()
        github.create_repository(example.repository)
        row.detail = f"{redis.url}, {github.url}"
    aws = AwsStandIn(log=folder / "moto.log", docker_host=engine.host)
    stack.callback(aws.stop)
    aws.launch()
    token = secrets.token_hex(20)
    environment = {
        **engine.environment(),
        **aws.environment(),
        "REDIS_URL": redis.url,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_WEBHOOK_SECRET": secrets.token_hex(20),
        "SLIPWAY_API_TOKENS": f"{PERSON}:{token}",
        "SLIPWAY_WEB_PROCESSES": "1",
    }
    slipway = Slipway(folder / "slipway", OPERATOR, environment, token=token)
    stack.callback(stop, slipway)
    for name in ("web", "worker"):
        slipway.processes[name].start()
    return World(aws, github, slipway, token)


def _wait(parts: World, example: Example, screen: Screen) -> None:
    """Wait for each, and set up what an operator has before the first push."""
    with screen.step("AWS stand-in (moto)") as row:
        parts.aws.start()
        parts.aws.create_bucket(BUCKET)
        for name, function in example.functions.items():
            parts.aws.create_function(name, function.runtime, function.handler)
        row.detail = " with ".join((parts.aws.url, ", ".join((BUCKET, *example.functions))))
    with screen.step("web, worker, beat") as row:
        web, worker = (parts.slipway.processes[name] for name in ("web", "worker"))
        wait_for_http(web, f"{parts.slipway.url}/healthz", START_SECONDS)
        hook = Process(
            [Path(sys.executable).parent / "slipway", "hook", "install", example.repository],
            parts.slipway.folder / "hook.log",
            env=parts.slipway.environment,
        ).start()
        # The clock rings only for what went wrong: it need not compete with the others' start.
        parts.slipway.processes["beat"].start()
        worker.wait_until(lambda: READY in worker.tail(), "the worker", START_SECONDS)
        row.detail = parts.slipway.url
    with screen.step("slipway hook install") as row:
        hook.wait_for_end(START_SECONDS)
        if hook.exit_code:
            raise SetUpError(f"slipway hook install failed:\n{hook.tail()}")
        row.detail = hook.tail()


def _environment(slipway: Slipway) -> dict[str, str]:
    return {**os.environ, **slipway.environment}


def stop(slipway: Slipway) -> None:
    """End the processes, and remove what a run that was under way has on the engine."""
    runs = []
    with suppress(requests.RequestException, OSError):
        runs = [run["id"] for run in slipway.runs()]
    slipway.stop()
    with suppress(RunError):
        engine = EngineClient(_environment(slipway))
        for run in runs:
            litter.remove_run(engine, run)
