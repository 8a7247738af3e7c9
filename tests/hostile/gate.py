"""A Slipway in this process, and repositories that mean it ill."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.redis import EmbeddedRedis
from tests.aws.strict import StrictAws
from tests.inside import Inside, reaches
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import GitHub, events
from workers.ledger.model.run import Run

OPERATOR = """
[environments.sandbox]
branch = "develop"

[[repositories]]
name = "town/*"
functions = ["Town*"]
bucket = "town-packages"
"""
PIPELINE = """
[test]
network = {network}
[test.checks]
unit = {check}
[build]
{build}
[functions.TownOne]
runtime = "python3.11"
handler = "index.lambda_handler"
"""
PLAIN = "FROM python:3.11-slim\nWORKDIR /app\nCOPY index.py ./\n"


def files(
    *, check: str = "'true'", network: str = "false", build: str = "", dockerfile: str = PLAIN
) -> dict[str, Any]:
    """A small repository; what is given is TOML, or the Dockerfile of the build."""
    return {
        "index.py": "def handler(event, context):\n    return 200\n",
        "slipway.toml": PIPELINE.format(check=check, network=network, build=build),
        "Dockerfile": dockerfile,
        "Dockerfile.test": PLAIN,
    }


class Gate:
    """Several Slipways on one ledger, one GitHub and one AWS: `make` starts one."""

    def __init__(self, make: Callable[..., Inside], github: GitHub) -> None:
        self.make = make
        self.github = github

    def repository(self, name: str) -> str:
        """A new repository; its full name."""
        full = f"town/{name}"
        self.github.create_repository(full, default_branch="develop")
        return full

    def pushed(self, inside: Inside, repository: str, tree: Mapping[str, Any]) -> Run:
        """What becomes of a push to develop, which is a deploy."""
        return inside.ended(inside.push(repository, "develop", tree))

    def proposed(self, inside: Inside, repository: str, tree: Mapping[str, Any]) -> Run:
        """What becomes of a pull request, which is a check."""
        if self.github.head(repository, "develop") is None:
            self.github.commit(repository, "develop", {"README": "none"})
        self.github.commit(repository, "topic", tree)
        pull = self.github.open_pull_request(repository, "topic", "develop")
        repos = (self.github.repository(repository),) * 2
        payload = events.pull_request("opened", pull, repos, self.github.links)
        return inside.ended(inside.deliver("pull_request", payload)["run_id"])


@pytest.fixture
def gate(
    tmp_path: Path,
    redis: Any,
    redis_server: EmbeddedRedis,
    aws: AwsStandIn,
    python_image: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Gate]:
    """A Slipway to be made as a test likes, with its function in AWS."""
    with GitHub(tmp_path / "github") as github, StrictAws(aws.url) as strict:
        reaches(monkeypatch, aws, strict)
        aws.create_function("TownOne")
        aws.create_function("TownTwo")
        aws.create_bucket("town-packages")

        def make(name: str = "slipway", operator: str = OPERATOR, **chosen: Any) -> Inside:
            settings = {"retries": 0, "build_network": "none"} | chosen
            return Inside(tmp_path / name, operator, redis_server, github, **settings)

        yield Gate(make, github)
