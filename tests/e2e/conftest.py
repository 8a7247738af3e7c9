"""A whole Slipway for each test: its own processes, the session's Redis, engine and stand-ins."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.redis import EmbeddedRedis
from tests.e2e.town import Town, settled
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import TOKEN, GitHub
from tests.stand_ins.slipway import SECRET, Slipway

REPOSITORY = "watchlist/movies-loader"
FUNCTION = "MoviesLoader"
BUCKET = "deployment-packages-watchlist"
ENDED = {"succeeded", "failed", "cancelled", "superseded"}
EXAMPLE = Path(__file__).parents[2] / "examples" / "watchlist" / "movies-loader"
OPERATOR = f"""
[environments.sandbox]
branch = "develop"

[environments.staging]
branch = "preprod"

[environments.production]
branch = "master"

[[repositories]]
name = "watchlist/*"
functions = ["Movies*"]
bucket = "{BUCKET}"
"""
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /app\nCOPY index.py ./\n"
PIPELINE = f"""
[test.checks]
unit = "python -c 'import index'"

[build]
path = "/app"

[functions.{FUNCTION}]
runtime = "python3.11"
handler = "index.lambda_handler"
"""


def example() -> dict[str, str | bytes | None]:
    """The files of the movies-loader example, as git knows them."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "."],
        cwd=EXAMPLE,
        check=True,
        capture_output=True,
        text=True,
    )
    return {name: (EXAMPLE / name).read_bytes() for name in listed.stdout.split()}


def small(**changes: str | bytes | None) -> dict[str, str | bytes | None]:
    """A repository that builds in no time; keywords are files with `__` for the dot."""
    files: dict[str, str | bytes | None] = {
        "index.py": "def lambda_handler(event, context):\n    return event\n",
        "Dockerfile": DOCKERFILE,
        "Dockerfile.test": DOCKERFILE,
        "slipway.toml": PIPELINE,
    }
    return files | {name.replace("__", "."): value for name, value in changes.items()}


class World:
    """GitHub, AWS and Slipway together, and what tests say of them."""

    def __init__(self, github: GitHub, aws: AwsStandIn, slipway: Slipway) -> None:
        self.github = github
        self.aws = aws
        self.slipway = slipway

    def push(self, files, branch="develop", repository=REPOSITORY) -> str:
        """Commit files to a branch and tell Slipway as GitHub does; the commit."""
        commit = self.github.commit(repository, branch, files, "A change")
        self.github.push_event(repository, branch)
        return commit

    def run_of(self, commit, seconds=10, **filters):
        """The newest run of a commit."""
        deadline = time.monotonic() + seconds
        while not (found := self.slipway.runs(commit=commit, **filters)):
            assert time.monotonic() < deadline, f"no run of {commit}"
            time.sleep(0.05)
        return found[0]

    def ended(self, commit, seconds=120, **filters):
        """The run of a commit, once it has ended and GitHub knows."""
        deadline = time.monotonic() + seconds
        run = self.run_of(commit, **filters)
        while run["state"] not in ENDED:
            assert time.monotonic() < deadline, self.story(run)
            time.sleep(0.1)
            run = self.slipway.run(run["id"])
        self.told(run, deadline)
        return run

    def told(self, run, deadline) -> None:
        """Wait until GitHub has a run's last word; some runs have none, so not for long."""
        patience = time.monotonic() + 5
        while not (states := self.statuses(run["commit"], run["repository"]).values()):
            if time.monotonic() > patience:
                return
            time.sleep(0.1)
        while "pending" in states:
            assert time.monotonic() < deadline, self.story(run)
            time.sleep(0.1)
            states = self.statuses(run["commit"], run["repository"]).values()

    def statuses(self, commit, repository=REPOSITORY) -> dict[str, str]:
        """The state of each context of a commit, as GitHub has it."""
        latest = self.github.latest(repository, commit)
        return {context: status.state for context, status in latest.items()}

    def story(self, run) -> str:
        """All that may explain a run, for the message of a failed test."""
        worker = self.slipway.processes["worker"].tail()
        return f"{run}\n{self.slipway.log(run['id'])}\n{worker}"

    def alias(self, alias="sandbox", function=FUNCTION):
        """The version that an alias points to, or None."""
        found = self.aws.alias(function, alias)
        return found and found["FunctionVersion"]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """GitHub with one empty repository."""
    with GitHub(tmp_path / "github") as hub:
        hub.create_repository(REPOSITORY)
        yield hub


@pytest.fixture
def slipway(
    tmp_path: Path,
    github: GitHub,
    aws: AwsStandIn,
    redis,
    redis_server: EmbeddedRedis,
    docker_host: str,
    python_image: str,
    request: pytest.FixtureRequest,
) -> Iterator[Slipway]:
    """Slipway's processes, not started; a `slipway` mark's keywords are more variables."""
    mark = request.node.get_closest_marker("slipway")
    environment = {
        "REDIS_URL": redis_server.url,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_TOKEN": TOKEN,
        "DOCKER_HOST": docker_host,
        "SLIPWAY_LEASE_SECONDS": "3",
        "SLIPWAY_SWEEP_SECONDS": "1",
        **aws.environment(),
        **(mark.kwargs if mark else {}),
    }
    with Slipway(tmp_path / "slipway", OPERATOR, environment) as processes:
        yield processes


@pytest.fixture
def world(github: GitHub, aws: AwsStandIn, slipway: Slipway) -> World:
    """Everything in place and running, with one function to deploy to."""
    aws.create_bucket(BUCKET)
    aws.create_function(FUNCTION)
    github.add_hook(REPOSITORY, f"{slipway.url}/webhooks/github", SECRET)
    slipway.start()
    return World(github, aws, slipway)


@pytest.fixture(scope="package")
def town(
    tmp_path_factory: pytest.TempPathFactory, docker_host: str, python_image: str
) -> Iterator[Town]:
    """One running Slipway with its own world, for all tests that can share one."""
    with settled(tmp_path_factory.mktemp("town"), {"DOCKER_HOST": docker_host}) as town:
        yield town
