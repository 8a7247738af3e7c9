"""What Slipway adds to the builds, the check and AWS: everything cached, one function.

From the push being sent until the call that moves the alias is answered, minus

- the same two image builds by the command line client alone,
- the same check's container alone: created, started, waited for and removed over the API,
- the time that AWS itself took to answer Slipway's calls, as a proxy in front of it sees it.

What boto3 and the proxy need for each call counts as Slipway's. Two contents take turns, each with
its layers cached, so that each push makes new code, a new version and a move of the alias.
"""

import contextlib
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import docker

from benchmarks import competitors
from benchmarks.begin import ENDED, post
from benchmarks.deliveries import REPOSITORY, body, signed
from benchmarks.measure import Options, median
from benchmarks.proxy import Proxy
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.engine import Engine
from tests.stand_ins.github import TOKEN, GitHub
from tests.stand_ins.images import ensure_images

IMAGE = "python:3.11-slim"
FUNCTION, BUCKET, ALIAS = "MoviesLoader", "deployment-packages-watchlist", "sandbox"
CHECK = "python -c 'import index'"
SECONDS = 60
WARM = 4
FILES = {
    "Dockerfile": f"FROM {IMAGE}\nWORKDIR /app\nCOPY index.py ./\n",
    "Dockerfile.test": f"FROM {IMAGE}\nWORKDIR /app\nCOPY index.py ./\n",
    "slipway.toml": f"""
[test.checks]
unit = "{CHECK}"

[build]
path = "/app"

[functions.{FUNCTION}]
runtime = "python3.11"
handler = "index.lambda_handler"
""",
}


@dataclass
class Stage:
    """All that takes part."""

    github: GitHub
    aws: AwsStandIn
    proxy: Proxy
    engine: Engine
    app: competitors.Slipway
    folder: Path

    def push(self, number: int) -> dict:
        """One push, and its parts alone right after it; milliseconds."""
        files = FILES | {
            "index.py": f"def lambda_handler(event, context):\n    return {number % 2}\n"
        }
        readme = {"README.md": f"{number}\n"}
        commit = self.github.commit(REPOSITORY, "develop", files | readme)
        self.proxy.calls.clear()
        request = signed(
            body(commit, web=self.github.url), str(uuid.uuid4()), "/webhooks/github", "127.0.0.1"
        )
        began = post(self.app.port, request)
        run = self._ended()
        moved = max(call.ended for call in self.proxy.calls if call.moves_alias)
        calls = [call for call in self.proxy.calls if call.ended <= moved]
        parts = {
            "total": moved - began,
            "aws": sum(call.ended - call.began for call in calls),
            **self._alone(files),
        }
        own = parts["total"] - parts["aws"] - parts["builds"] - parts["check"]
        times = {name: seconds * 1000 for name, seconds in {**parts, "overhead": own}.items()}
        stages = {s["name"]: [s["started_at"], s["finished_at"]] for s in run["stages"]}
        return {**times, "calls": [call.name for call in calls], "stages": stages}

    def _ended(self) -> dict:
        until = time.time() + SECONDS
        while (run := self.app.runs(limit=1)[0])["state"] not in ENDED:
            if time.time() > until:
                raise TimeoutError("the run did not end")
            time.sleep(0.1)
        if run["state"] != "succeeded":
            raise SystemExit(f"{run}\n{self.app.log(run['id'])}")
        time.sleep(0.3)  # its reports too
        return run

    def _alone(self, files: dict[str, str]) -> dict[str, float]:
        """The builds and the check by themselves, on what the push has left warm."""
        for name, text in files.items():
            (self.folder / name).write_text(text)
        builds = sum(self._build(name) for name in ("Dockerfile.test", "Dockerfile"))
        return {"builds": builds, "check": self._check()}

    def _build(self, dockerfile: str) -> float:
        command = [self.engine.client, "build", "--progress=plain", "--network=none"]
        command += [f"--file={self.folder / dockerfile}", "--tag=slipway-benchmark/overhead"]
        command += [f"--label=slipway.benchmark={uuid.uuid4()}", self.folder]
        began = perf_counter()
        env = self.app.environment | self.engine.environment()
        subprocess.run(command, check=True, capture_output=True, env=env)
        return perf_counter() - began

    def _check(self) -> float:
        with contextlib.closing(docker.DockerClient(self.engine.host)) as client:
            client.ping()
            began = perf_counter()
            container = client.containers.create(
                "slipway-benchmark/overhead", entrypoint=["sh", "-c", CHECK], network_mode="none"
            )
            container.start()
            code = container.wait()["StatusCode"]
            container.remove()
            took = perf_counter() - began
        if code:
            raise SystemExit(f"the check alone ended with {code}")
        return took


@contextlib.contextmanager
def stage(options: Options) -> Iterator[Stage]:
    """Everything in place and running."""
    folder = options.folder
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(Engine(options.cache))
        ensure_images(engine.host, [IMAGE], options.cache)
        github = stack.enter_context(GitHub(folder / "github"))
        aws = stack.enter_context(AwsStandIn(log=folder / "moto.log"))
        proxy = stack.enter_context(Proxy(aws.port))
        aws.create_bucket(BUCKET)
        aws.create_function(FUNCTION)
        github.create_repository(REPOSITORY)
        variables = {
            "GITHUB_API_URL": github.api_url,
            "GITHUB_TOKEN": TOKEN,
            **engine.environment(),
            **aws.environment(),
            "AWS_ENDPOINT_URL": proxy.url,
        }
        app, _ = stack.enter_context(competitors.slipway(folder, **variables))
        app.start()
        (folder / "alone").mkdir()
        yield Stage(github, aws, proxy, engine, app, folder / "alone")


def run(options: Options) -> dict:
    """Push after push; the first ones fill the caches."""
    with stage(options) as everything:
        for number in range(WARM):
            everything.push(number)
        # No number twice: a tree that was built before is not built again.
        count = 2 if options.quick else 12
        pushes = [everything.push(WARM + number) for number in range(count)]
    names = ("total", "builds", "check", "aws", "overhead")
    return {
        "rows": [{"name": n, "median": median([push[n] for push in pushes])} for n in names],
        "least": min(push["overhead"] for push in pushes),
        "pushes": pushes,
    }
