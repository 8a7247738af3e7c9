"""One Slipway with its own world, shared by many tests: each has a repository of its own there."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from redis import Redis

from local.redis import EmbeddedRedis
from tests.e2e.gate import Gate
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import GitHub, Status
from tests.stand_ins.slipway import TOKEN, Slipway
from workers.ledger import keys
from workers.ledger.upkeep import Upkeep

BUCKET = "packages-of-the-town"
NO_BUCKET = "a-bucket-that-nobody-made"
ENDED = {"succeeded", "failed", "cancelled", "superseded"}
DEPLOY = "slipway/deploy/sandbox"
OPERATOR = f"""
[environments.sandbox]
branch = "develop"

[environments.staging]
branch = "preprod"

[environments.harbour]
branch = "harbour"

[environments.gradual]
branch = "gradual"
strategy = "linear-40-percent-every-1-second"
alarms = ["TownAlarm"]

[[repositories]]
name = "town/*"
functions = ["Town*"]
bucket = "{BUCKET}"

[[repositories]]
name = "bucketless/*"
functions = ["Town*"]
bucket = "{NO_BUCKET}"
"""
CANARIES = {
    "GITHUB_TOKEN": "ghp-canary-4cc8f1b07d",
    "AWS_SECRET_ACCESS_KEY": "aws-canary-93b1d2e6a0",
    "GITHUB_WEBHOOK_SECRET": "hook-canary-7f50c2d8e1",
    "SLIPWAY_API_TOKENS": "api-canary-1e9a6b44c3",
}
"""Secrets that nothing but the stand-ins and Slipway's own environment may ever hold."""
CAPACITY = 9
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /app\nCOPY index.py ./\n"
CODE = "def lambda_handler(event, context):\n    return {!r}\n"
WAITING = 'unit = "echo began; while ! test -f /tmp/go; do sleep 0.1; done"'
"""A check that runs until `end_check` ends it."""
PASSES = "python -c 'import index'"

Files = dict[str, str | bytes | None]


PATIENCE = 2
"""Times as long on a machine that has other work, too; what is promised is timed by itself."""


def until(ready: Callable[[], Any], seconds: float, what: str | Callable[[], str]) -> Any:
    """Wait until something is true, and give it back."""
    deadline = time.monotonic() + seconds * PATIENCE
    while not (found := ready()):
        if time.monotonic() > deadline:
            text = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds * PATIENCE:g} s: {text}")
        time.sleep(0.05)
    return found


def pipeline(function: str, checks: str = f'unit = "{PASSES}"', build: str = "") -> str:
    """A slipway.toml for one function."""
    return f"""[test.checks]
{checks}

[build]
path = "/app"
{build}

[functions.{function}]
runtime = "python3.11"
handler = "index.lambda_handler"
"""


@dataclass
class Place:
    """One repository with one function, and what tests say of them."""

    town: "Town"
    repository: str
    function: str

    def files(self, code: str = "one", **changes: str | bytes | None) -> Files:
        """The smallest repository; `code` makes a difference, keywords have `__` for the dot."""
        files: Files = {
            "index.py": CODE.format(code),
            "Dockerfile": DOCKERFILE,
            "Dockerfile.test": DOCKERFILE,
            "slipway.toml": pipeline(self.function),
        }
        return files | {name.replace("__", "."): value for name, value in changes.items()}

    def commit(self, files: Files | None = None, branch: str = "develop", **more: Any) -> str:
        """Commit without telling anybody."""
        files = self.files() if files is None else files
        return self.town.github.commit(self.repository, branch, files, **more)

    def push(self, files: Files | None = None, branch: str = "develop", **more: Any) -> str:
        """Commit and tell Slipway, as GitHub does; the commit."""
        commit = self.commit(files, branch, **more)
        (delivery,) = self.town.github.push_event(self.repository, branch)
        assert delivery.status_code == 202, delivery.response_body
        return commit

    def runs(self, commit: str, **filters: str) -> list[dict[str, Any]]:
        """The runs of a commit."""
        return self.town.slipway.runs(repository=self.repository, commit=commit, **filters)

    def run(self, commit: str, **filters: str) -> dict[str, Any]:
        """The only run of a commit, as soon as there is one."""
        (run,) = until(lambda: self.runs(commit, **filters), 10, f"no run of {self.repository}")
        return run

    def ended(self, commit: str, seconds: float = 90, **filters: str) -> dict[str, Any]:
        """The only run of a commit, once it has ended and GitHub knows."""
        run = self.run(commit, **filters)

        def over() -> bool:
            run.update(self.town.slipway.run(run["id"]))
            told = [status.state for status in self.latest(commit).values()]
            return run["state"] in ENDED and bool(told) and "pending" not in told

        until(over, seconds, lambda: self.story(commit))
        return run

    def task(self, commit: str, task_id: str = "") -> dict[str, Any]:
        """What became of a task, by default of the one that the webhook answered with."""
        wanted = task_id or self.run(commit)["id"]
        found: dict[str, Any] = self.town.slipway.get(f"/api/v1/tasks/{wanted}").json()
        return found

    def log(self, commit: str, **filters: str) -> str:
        """The log of the only run of a commit."""
        return self.town.slipway.log(self.run(commit, **filters)["id"])

    def latest(self, commit: str) -> dict[str, Status]:
        """The newest status of each context."""
        return self.town.github.latest(self.repository, commit)

    def states(self, commit: str) -> dict[str, str]:
        """The newest state of each context."""
        return {context: status.state for context, status in self.latest(commit).items()}

    def told(self, commit: str, context: str = DEPLOY) -> list[str]:
        """All states of one context, in the order in which they were posted."""
        statuses = self.town.github.statuses(self.repository, commit)
        return [status.state for status in statuses if status.context == context]

    def versions(self, commit: str | None = None) -> list[str]:
        """The function's published versions; of one commit, if one is given."""
        found = self.town.aws.versions(self.function)
        return [v["Version"] for v in found if commit in (None, v["Description"])]

    def alias(self, name: str = "sandbox") -> str | None:
        """The version that an alias points to."""
        found = self.town.aws.alias(self.function, name)
        return found and found["FunctionVersion"]

    def moves(self) -> list[tuple[str, str]]:
        """Every move of an alias: its name and the version."""
        return [
            (name, v) for function, name, v in self.town.gate.moves if function == self.function
        ]

    def packages(self) -> list[str]:
        """The keys of the function's packages in S3."""
        return [k for k in self.town.aws.objects(BUCKET) if k.startswith(f"{self.function}/")]

    def containers(self, commit: str) -> set[str]:
        """The ids of the containers of a commit's run."""
        return {container.id for container in self.town.containers(self.run(commit)["id"])}

    def end_check(self, commit: str, dead: Collection[str] = ()) -> None:
        """Let a check that waits end, in a container that is not one of the dead."""
        run_id = self.run(commit)["id"]

        def gone_on() -> bool:
            for container in self.town.containers(run_id):
                if container.id not in dead and container.status == "running":
                    if container.exec_run(["touch", "/tmp/go"]).exit_code == 0:
                        return True
                    # It may have heard of it, and ended, before its engine could tell.
                    return container.id not in {one.id for one in self.town.containers(run_id)}
            return False

        until(gone_on, 60, lambda: self.story(commit))

    def facts(self, commit: str) -> dict[str, str]:
        """The ledger's own record of the run."""
        return self.town.record(self.run(commit)["id"])

    def story(self, commit: str) -> str:
        """All that may explain a run, for the message of a failed test."""
        (run,) = self.runs(commit) or [{"id": "none"}]
        statuses = self.town.github.statuses(self.repository, commit)
        return "\n".join(
            [
                str(run),
                *(f"{one.context} {one.state} {one.description}" for one in statuses),
                self.town.slipway.log(run["id"]),
                self.town.slipway.processes["worker"].tail(),
            ]
        )

    def assert_deployed(self, commit: str, versions: int = 1) -> None:
        """One version, one move, one package, one final status: as if nothing had happened."""
        run = self.ended(commit)
        story = self.story(commit)
        assert run["state"] == "succeeded", story
        assert {stage["state"] for stage in run["stages"]} == {"succeeded"}, story
        (version,) = self.versions(commit)
        assert len(self.versions()) == versions, story
        assert self.alias() == version
        assert [move for move in self.moves() if move[1] == version] == [("sandbox", version)]
        assert len(self.moves()) == versions
        assert f"{self.function}/{commit}.zip" in self.packages()
        assert len(self.packages()) == versions
        assert set(self.states(commit)) == {DEPLOY}, self.states(commit)
        told = self.told(commit)
        assert told[-1] == "success", told
        assert told.count("success") == 1, told
        assert set(told) <= {"pending", "success"}, told


class Town:
    """GitHub, AWS behind a gate, Redis and Slipway."""

    def __init__(
        self, github: GitHub, aws: AwsStandIn, gate: Gate, redis: EmbeddedRedis, slipway: Slipway
    ) -> None:
        self.github = github
        self.aws = aws
        self.gate = gate
        self.redis = redis
        self.slipway = slipway

    def place(self, name: str, *, function: bool = True, owner: str = "town") -> Place:
        """A new repository with its webhook, and its function in AWS unless told otherwise."""
        words = "".join(word.capitalize() for word in name.split("-"))
        place = Place(self, f"{owner}/{name}", f"Town{words}")
        self.github.create_repository(place.repository, default_branch="develop")
        url = f"{self.slipway.url}/webhooks/github"
        self.github.add_hook(place.repository, url, CANARIES["GITHUB_WEBHOOK_SECRET"])
        if function:
            self.aws.create_function(place.function)
        return place

    def kill_worker(self) -> None:
        """SIGKILL to the worker and all its children."""
        self.slipway.processes["worker"].kill()

    @contextmanager
    def changed(self, process: str, **variables: str) -> Iterator[None]:
        """One of the processes, started anew with other variables for a while."""
        before = dict(self.slipway.environment)
        try:
            self.slipway.environment.update(variables)
            self._restart(process)
            yield
        finally:
            self.slipway.environment.clear()
            self.slipway.environment.update(before)
            self._restart(process)

    def _restart(self, process: str) -> None:
        self.slipway.processes[process].kill()
        self.slipway.start(process)

    def record(self, run_id: str) -> dict[str, str]:
        """A run's hash in the ledger."""
        import redis

        with redis.Redis.from_url(self.redis.url, decode_responses=True) as client:
            return client.hgetall(f"{keys.RUN}{run_id}")

    @property
    def docker(self) -> docker.DockerClient:
        """The engine that Slipway uses, seen from outside."""
        return docker.from_env()

    def containers(self, run_id: str) -> list[Any]:
        """The containers of a run, running or not."""
        label = f"slipway.run={run_id}"
        # One may go while it is listed.
        return self.docker.containers.list(all=True, filters={"label": label}, ignore_removed=True)

    def images(self, run_id: str) -> list[Any]:
        """The images of a run."""
        return self.docker.images.list(filters={"label": f"slipway.run={run_id}"})

    def assert_clean(self, *run_ids: str, seconds: float = 15) -> None:
        """Nothing of these runs is left on the engine or on the disk."""

        def left() -> list[str]:
            folders = (self.slipway.folder / "data" / "workspaces").glob("*")
            found = [f.name for f in folders if f.name.rpartition("-")[0] in run_ids]
            for run_id in run_ids:
                found += [f"container {c.id}" for c in self.containers(run_id)]
                # The list of objects asks for each again, and one may go in between.
                listed = self.docker.api.images(filters={"label": f"slipway.run={run_id}"})
                found += [f"image {one['Id']}" for one in listed]
            return found

        until(lambda: not left(), seconds, lambda: f"left behind: {left()}")


@contextmanager
def settled(folder: Path, variables: dict[str, str]) -> Iterator[Town]:
    """A town, running; `variables` are more of Slipway's environment."""
    aws = AwsStandIn(log=folder / "moto.log")
    redis = EmbeddedRedis(folder / "redis")
    token = CANARIES["GITHUB_TOKEN"]
    with GitHub(folder / "github", token=token) as github, redis, aws, Gate(aws.url) as gate:
        environment = {
            **aws.environment(),
            **CANARIES,
            "AWS_ENDPOINT_URL": gate.url,
            "REDIS_URL": redis.url,
            "GITHUB_API_URL": github.api_url,
            "SLIPWAY_API_TOKENS": f"tests:{TOKEN},canary:{CANARIES['SLIPWAY_API_TOKENS']}",
            "SLIPWAY_LEASE_SECONDS": "3",
            "SLIPWAY_SWEEP_SECONDS": "1",
            "SLIPWAY_RETRIES": "2",
            "SLIPWAY_CAPACITY": str(CAPACITY),
            **variables,
        }
        aws.create_bucket(BUCKET)
        with Slipway(folder / "slipway", OPERATOR, environment) as slipway:
            slipway.start()
            # Else it meets the first faults that a test orders for its own run.
            book = Upkeep(Redis.from_url(redis.url))
            until(lambda: book.since("poll") < 60, 60, "there is no first poll")
            yield Town(github, aws, gate, redis, slipway)
