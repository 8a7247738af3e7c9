"""GitHub, AWS, a Docker engine and Slipway, running, for benchmarks of whole deploys."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks import competitors
from benchmarks.deliveries import SECRET
from benchmarks.measure import Options
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.engine import Engine
from tests.stand_ins.github import TOKEN, GitHub
from tests.stand_ins.images import ensure_images
from tests.stand_ins.slipway import Slipway

IMAGE = "python:3.11-slim"
ENDED = {"succeeded", "failed", "cancelled", "superseded"}
SECONDS = 600


@dataclass
class World:
    """The parts; `aws_environment` leads to AWS."""

    github: GitHub
    aws: AwsStandIn
    app: Slipway
    aws_environment: dict[str, str]

    def repository(self, name: str) -> None:
        """A new repository, whose pushes Slipway hears of."""
        self.github.create_repository(name, default_branch="develop")
        self.github.add_hook(name, f"{self.app.url}/webhooks/github", SECRET)

    def deploy(self, repository: str, files: dict[str, str | bytes]) -> dict:
        """Push to `develop`; the run, once it has succeeded.

        Raises:
            SystemExit: it did not.
        """
        commit = self.github.commit(repository, "develop", files)
        self.github.push_event(repository, "develop")
        until = time.monotonic() + SECONDS
        while not (runs := self.app.runs(commit=commit)) or runs[0]["state"] not in ENDED:
            if time.monotonic() > until:
                raise SystemExit(f"the run did not end: {runs}")
            time.sleep(0.1)
        if runs[0]["state"] != "succeeded":
            raise SystemExit(f"{runs[0]}\n{self.app.log(runs[0]['id'])}")
        time.sleep(0.3)  # its reports too
        return runs[0]


@contextlib.contextmanager
def world(options: Options, operator: str, endpoint: str = "", **variables: str) -> Iterator[World]:
    """Everything in place and running; another `endpoint` may take the place of AWS."""
    folder = options.folder
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(Engine(options.cache))
        ensure_images(engine.host, [IMAGE], options.cache)
        github = stack.enter_context(GitHub(folder / "github"))
        aws = stack.enter_context(AwsStandIn(log=folder / "moto.log"))
        environment = aws.environment()
        if endpoint:
            environment["AWS_ENDPOINT_URL"] = endpoint
        words = {
            "GITHUB_API_URL": github.api_url,
            "GITHUB_TOKEN": TOKEN,
            **engine.environment(),
            **environment,
            **variables,
        }
        app, _ = stack.enter_context(competitors.slipway(folder, operator, **words))
        app.start()
        yield World(github, aws, app, environment)


def seconds(run: dict, first: str, last: str) -> float:
    """From the start of one stage to the end of another."""
    stages = {stage["name"]: stage for stage in run["stages"]}
    start = datetime.fromisoformat(stages[first]["started_at"])
    return (datetime.fromisoformat(stages[last]["finished_at"]) - start).total_seconds()


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    """The same files on this disk."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
