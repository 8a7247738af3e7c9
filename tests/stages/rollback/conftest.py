"""Deploys whose packages lie in S3 already, rollbacks, locks: everything but Docker is real."""

import base64
import hashlib
import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.redis import EmbeddedRedis
from tests.e2e.gate import Gate, Hold
from tests.inside import Inside, reaches
from tests.orders import order
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import GitHub
from workers.aws.session import aws_for
from workers.aws.sites.book import File, Manifest, Place
from workers.aws.sites.headers import Content, headers
from workers.ledger import keys
from workers.ledger.model.run import Run, State

REPOSITORY = "octo/store"
A, B = "StoreAdd", "StoreList"
ENVIRONMENT = "production"
BUCKET, SITE = "packages", "shop.example.com"
OPERATOR = f"""
[environments.production]
branch = "master"
{{more}}

[environments.other]
branch = "other"

[[repositories]]
name = "octo/*"
functions = ["Store*"]
bucket = "{BUCKET}"
sites = ["{SITE}"]
{{rule}}
"""
STAGES = ("deploy", "release")


@dataclass
class Harbour:
    """A Slipway whose runs begin with packages that are built."""

    inside: Inside
    strict: Gate
    cloud: AwsStandIn
    github: GitHub

    def commit(self, branch: str = "master", repository: str = REPOSITORY) -> str:
        """A commit on a branch, unlike all others."""
        return self.github.commit(repository, branch, {"main.py": str(uuid.uuid4())})

    def accept(
        self,
        *functions: str,
        commit: str = "",
        stages: tuple[str, ...] = STAGES,
        repository: str = REPOSITORY,
        page: str = "",
        environment: str = ENVIRONMENT,
        like: str = "",
    ) -> str:
        """A deploy of a new commit, all built; its run's id. `page` is its site's, if any.

        `like` is a commit whose packages it shares.
        """
        branch = {ENVIRONMENT: "master"}.get(environment, environment)
        commit = commit or self.commit(branch, repository)
        known = self.github.repository(repository)
        wanted = order(
            repository=repository,
            repository_id=known.id,
            clone_url=known.clone_url,
            ref=f"refs/heads/{branch}",
            commit=commit,
            environment=environment,
            sender="ada",
        )
        run_id = self.inside.shop.ledger.accept(wanted, "", stages, "deploy").run_id
        hashes = {name: self.package(name, commit, like) for name in functions}
        tables = "".join(
            f'[functions.{name}]\nruntime = "python3.11"\nhandler = "index.lambda_handler"\n'
            for name in functions
        )
        fields = {"pipeline": tables, "packages": json.dumps(hashes)}
        if page:
            fields["pipeline"] += f'[site]\nbucket = "{SITE}"\npath = "/app"\n'
            fields["site"] = self.publish_page(commit, page)
        self.inside.redis.hset(f"{keys.RUN}{run_id}", mapping=fields)
        return run_id

    def package(self, function: str, commit: str, like: str = "") -> str:
        """A package in S3, as the publish stage leaves it; its hash. `like`: as for `accept`."""
        body = f"{function} {like or commit}".encode()
        sha256 = base64.b64encode(hashlib.sha256(body).digest()).decode()
        self.cloud.client("s3").put_object(
            Bucket=BUCKET, Key=f"{function}/{commit}.zip", Body=body, ChecksumSHA256=sha256
        )
        return sha256

    def publish_page(self, commit: str, page: str) -> str:
        """A site of one page, as the publish stage leaves it; its digest."""
        from workers.aws import sites

        body = page.encode()
        file = File(
            sha256=hashlib.sha256(body).hexdigest(),
            size=len(body),
            headers=headers(
                "index.html",
                content=lambda _: Content(utf8=True),
                others={},
                immutable=lambda _: False,
            ),
        )
        manifest = Manifest(commit=commit, files={"index.html": file})
        place = Place(aws_for(), SITE, ENVIRONMENT)
        sites.publish(place, manifest, lambda: lambda _name: body, sites.Rules())
        return manifest.digest

    def deployed(self, *functions: str, **more: Any) -> Run:
        """A deploy that has ended well."""
        run = self.ended(self.accept(*(functions or (A, B)), **more))
        assert run.state is State.SUCCEEDED, self.story(run.id)
        return run

    def visit(self, run_id: str) -> str:
        """One visit, whenever the run wants it."""
        self.inside.hurry(run_id)
        return self.inside.advance(run_id)

    def until(self, run_id: str, ready: Callable[[Run], bool], seconds: float = 20) -> Run:
        """Visit a run until something is true of it."""
        deadline = time.monotonic() + seconds
        while not ready(run := self.inside.run(run_id)):
            assert time.monotonic() < deadline, self.story(run_id)
            assert not run.state.final, self.story(run_id)
            self.visit(run_id)
        return run

    def ended(self, run_id: str) -> Run:
        """Visit a run until it has ended."""
        return self.until(run_id, lambda run: run.state.final)

    def until_ended(self, run_id: str, seconds: float = 20) -> Run:
        """The run, once others have worked it to its end."""
        deadline = time.monotonic() + seconds
        while not (run := self.inside.run(run_id)).state.final:
            assert time.monotonic() < deadline, self.story(run_id)
            time.sleep(0.05)
        return run

    def until_log(self, run_id: str, text: str, seconds: float = 20) -> None:
        """Wait until a run has said something."""
        deadline = time.monotonic() + seconds
        while text not in self.inside.log(run_id):
            assert time.monotonic() < deadline, self.story(run_id)
            time.sleep(0.05)

    def held(self, run_id: str) -> Run:
        """Visit a run until its environment's lock holds it back."""
        return self.until(run_id, lambda run: run.held)

    def story(self, run_id: str) -> str:
        """All that may explain a run."""
        return f"{self.inside.run(run_id)}\n{self.inside.log(run_id)}"

    def call(self, verb: str, who: str = "alice", env: str = ENVIRONMENT, **body: Any) -> Any:
        """POST to an environment as somebody: status and JSON."""
        return self.inside.call(f"/environments/{env}/{verb}", who, **body)

    @contextmanager
    def working(self) -> Iterator[None]:
        """A worker that takes whatever is due, meanwhile."""
        over = threading.Event()

        def work() -> None:
            while not over.wait(0.02):
                for run_id, _ in self.inside.shop.ledger.overdue(0).runs:
                    self.inside.advance(run_id)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def rolled_back(self, to: str, **body: Any) -> Run:
        """A rollback that has ended well."""
        run = self.ended(self.back(to, **body))
        assert run.state is State.SUCCEEDED, self.story(run.id)
        return run

    def back(self, to: str, **body: Any) -> str:
        """A rollback that was taken on, and whose packages were looked for; its run's id."""
        with self.working():
            status, answer = self.call("rollback", to=to, **body)
        assert status == 202, answer
        return str(answer["run_id"])

    def accept_back(self, to: str, **body: Any) -> str:
        """A rollback that was taken on, and that no worker has looked at; its run's id."""
        from service.actions import rollback

        before, rollback.LOOK_SECONDS = rollback.LOOK_SECONDS, 0.0
        try:
            status, answer = self.call("rollback", to=to, **body)
        finally:
            rollback.LOOK_SECONDS = before
        assert status == 202, answer
        return str(answer["run_id"])

    def alias(self, function: str) -> str | None:
        """The commit that a function's alias runs."""
        found = self.cloud.alias(function, ENVIRONMENT)
        if found is None:
            return None
        versions = self.cloud.versions(function)
        return next(
            one["Description"] for one in versions if one["Version"] == found["FunctionVersion"]
        )

    def live(self) -> tuple[str | None, str | None]:
        """The commits that both functions run."""
        return self.alias(A), self.alias(B)

    def weights(self) -> tuple[dict[str, float], ...]:
        """The shares of other versions that both functions' aliases have."""
        found = (self.cloud.alias(name, ENVIRONMENT) or {} for name in (A, B))
        routing = [one.get("RoutingConfig") or {} for one in found]
        return tuple(one.get("AdditionalVersionWeights") or {} for one in routing)

    def releases(self) -> list[dict[str, Any]]:
        """The environment's history, newest first."""
        rows = self.inside.shop.ledger.history.released(ENVIRONMENT, 0, 100)
        return [row.row() for row in rows]

    def until_live(self, function: str, commit: str, seconds: float = 20) -> None:
        """Wait until a function runs a commit."""
        deadline = time.monotonic() + seconds
        while self.alias(function) != commit:
            assert time.monotonic() < deadline, function
            time.sleep(0.02)

    def begin(self, run_id: str, *holds: Hold) -> threading.Thread:
        """A visit that stands at the gates."""
        self.inside.hurry(run_id)
        thread = threading.Thread(target=self.inside.advance, args=[run_id])
        thread.start()
        assert all(hold.reached.wait(20) for hold in holds), "it never came to the gate"
        return thread

    def kill(self, run_id: str, *holds: Hold, moved: tuple[str, ...] = ()) -> None:
        """Visit a run in a process of its own, and kill that when it stands at the gates.

        The functions of `moved` run its commit by then.
        """
        self.lose(run_id, *holds, moved=moved)
        for hold in holds:
            hold.open(cut=not hold.after)

    def lose(self, run_id: str, *holds: Hold, moved: tuple[str, ...] = ()) -> None:
        """As `kill`, but what it has asked of AWS is still on its way."""
        self.inside.hurry(run_id)
        child = os.fork()
        if child == 0:
            self.inside.advance(run_id)
            os._exit(0)
        try:
            assert all(hold.reached.wait(20) for hold in holds), "it never came to the gate"
            for function in moved:
                self.until_live(function, self.inside.run(run_id).order.commit)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        # Dead workers lose their runs when their leases are over.
        self.inside.redis.zadd(keys.LEASES, {run_id: 0})


@pytest.fixture
def harbour(
    tmp_path: Path,
    redis: Any,
    redis_server: EmbeddedRedis,
    aws: AwsStandIn,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Harbour]:
    """Two functions that never ran; a `harbour` mark has more lines of the operator's file.

    `more` are those of production's table, `rule` those of the repositories'.
    """
    mark = request.node.get_closest_marker("harbour")
    operator = OPERATOR.format(**{"more": "", "rule": ""} | (mark.kwargs if mark else {}))
    with GitHub(tmp_path / "github") as github, Gate(aws.url) as strict:
        reaches(monkeypatch, aws, strict)
        for name in (REPOSITORY, "octo/other"):
            github.create_repository(name, default_branch="master")
        for bucket in (BUCKET, SITE):
            aws.create_bucket(bucket)
        for function in (A, B):
            aws.create_function(function)
        inside = Inside(
            tmp_path / "slipway", operator, redis_server, github, lease_seconds=5, capacity=50
        )
        yield Harbour(inside, strict, aws, github)
