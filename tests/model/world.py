"""One repository with two functions and three environments, and all that a machine does to them."""

import base64
import functools
import hashlib
import io
import json
import os
import signal
import uuid
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.inside import Inside
from tests.model.redis_gate import RedisGate
from tests.model.watched import HAND, Watched
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import GitHub
from tests.stand_ins.github.events import pull_request
from workers import pipeline, reporting
from workers.aws import session
from workers.aws.session import Aws
from workers.ledger import keys
from workers.run import Run, State
from workers.stages.reused_packages import Built, Kept, key_of_build
from workers.stages.reused_verdict import Verdict

BUCKET = "packages-of-the-model"
BRANCHES = {"develop": "sandbox", "preprod": "staging", "master": "production"}
OPERATOR = f"""
[environments.sandbox]
branch = "develop"

[environments.staging]
branch = "preprod"

[environments.production]
branch = "master"
approval = {{ required = 1, timeout = "2h" }}

[[repositories]]
name = "octo/*"
functions = ["F*"]
bucket = "{BUCKET}"
"""
ROUNDS = 40


class Unhurried(Aws):
    """A session without the budget of calls a second, which has tests of its own."""

    @functools.cached_property
    def lambda_(self) -> Any:
        """The client of Lambda."""
        return self._client("lambda")


def unhurried() -> None:
    """Have this process use it, as a forked child must once more."""
    session._known.forget()
    session._known._sessions[None, None] = Unhurried(attempts=1)


@dataclass
class Parts:
    """What all examples share."""

    inside: Inside
    doomed: Inside
    gate: RedisGate
    strict: Watched
    cloud: AwsStandIn
    numbers: Iterator[int]
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def github(self) -> GitHub:
        """Where repositories are."""
        return self.inside.github


def package(function: str, code: str) -> bytes:
    """The package of a function; all but A's are the same for two neighbouring codes."""
    kept = code if function.endswith("A") else str(int(code) // 2)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("code.txt", (1980, 1, 1, 0, 0, 0)), f"{function} {kept}")
    return stream.getvalue()


@functools.cache
def sha256(function: str, code: str) -> str:
    """The hash of that package, base64."""
    return base64.b64encode(hashlib.sha256(package(function, code)).digest()).decode()


class World:
    """One example's world."""

    def __init__(self, parts: Parts, functions: str = "AB") -> None:
        self.parts = parts
        number = next(parts.numbers)
        self.repository = f"octo/r{number}"
        self.functions = tuple(f"F{number}{letter}" for letter in functions)
        self.code: dict[str, str] = {}
        self.parents: dict[str, list[str]] = {}
        self.heads: dict[str, str] = {}
        self.post: list[tuple[str, dict[str, Any], str]] = []
        self.answers: defaultdict[str, set[str]] = defaultdict(set)
        self.retried: Counter[str] = Counter()
        self.disturbed: set[str] = set()
        parts.inside.redis.flushall()
        parts.github.create_repository(self.repository, default_branch="develop")
        for function in self.functions:
            parts.cloud.create_function(function)
        parts.strict.moves.clear()
        parts.strict.calm()
        base = self.commit("develop", "0")
        for branch in ("preprod", "master"):
            self.point(branch, base)

    # The repository.

    def commit(self, branch: str, code: str, parents: list[str] | None = None) -> str:
        """A commit with that code; nobody is told."""
        functions = "".join(
            f'[functions.{name}]\nruntime = "python3.11"\nhandler = "index.handler"\n'
            for name in self.functions
        )
        files = {
            "slipway.toml": f'[test.checks]\nunit = "true"\n{functions}',
            "Dockerfile": "FROM scratch\n",
            "Dockerfile.test": "FROM scratch\n",
            "code.txt": code,
        }
        if parents is None:
            parents = [self.heads[branch]] if branch in self.heads else []
        commit = self.parts.github.commit(
            self.repository,
            branch,
            files,
            f"{len(self.parents)}",
            parents=parents,
            date=1_700_000_000 + len(self.parents),
        )
        self.code[commit], self.parents[commit], self.heads[branch] = code, parents, commit
        self._seed(commit, code)
        return commit

    def point(self, branch: str, commit: str) -> None:
        """Point a branch somewhere, as a force-push does."""
        self.parts.github.set_branch(self.repository, branch, commit)
        self.heads[branch] = commit

    def _seed(self, commit: str, code: str) -> None:
        """A build and a test of this tree, as an earlier run would have left them."""
        tree = self.parts.github.git(self.repository).run("rev-parse", f"{commit}^{{tree}}")
        identity = self.parts.github.repository(self.repository).id
        key, seed = keys.built(key_of_build(identity, tree, {})), f"{'e' * 39}{code}"
        redis = self.parts.inside.redis
        if redis.exists(key):
            return
        packages = {}
        for name in self.functions:
            digest = sha256(name, code)
            packages[name] = Kept(bucket=BUCKET, sha256=digest)
            self.parts.cloud.client("s3").put_object(
                Bucket=BUCKET,
                Key=f"{name}/{seed}.zip",
                Body=package(name, code),
                Metadata={"sha256": digest},
            )
        built = Built(run="seed", commit=seed, packages=packages)
        redis.set(key, built.model_dump_json())
        check = {"name": "unit", "exit_code": 0, "seconds": 0}
        verdict = Verdict.model_validate({"run": "seed", "commit": seed, "checks": [check]})
        redis.set(keys.tested(identity, tree), verdict.model_dump_json())

    def ancestors(self, commit: str) -> set[str]:
        """A commit and all that it descends from."""
        found: set[str] = set()
        todo = [commit]
        while todo:
            if (one := todo.pop()) not in found:
                found.add(one)
                todo += self.parents[one]
        return found

    def same_package(self, function: str, digest: str) -> set[str]:
        """The commits whose package of a function has that hash."""
        return {c for c, code in self.code.items() if sha256(function, code) == digest}

    # Deliveries.

    def announce(self, branch: str, *, told: bool, merged: bool = False) -> None:
        """Put the delivery of a branch as it is now into the post, and deliver it if `told`.

        A merge of a pull request has two, in any order.
        """
        hub = self.parts.github
        payload = hub.push_payload(self.repository, branch)
        self.post.append(("push", payload, str(uuid.uuid4())))
        if merged:
            repos = (hub.repository(self.repository),) * 2
            pull = hub.open_pull_request(self.repository, branch, branch)
            pull = hub._change(
                pull, state="closed", merged=True, merge_commit_sha=self.heads[branch]
            )
            event = pull_request("closed", pull, repos, hub.links)
            self.post.append(("pull_request", event, str(uuid.uuid4())))
        if told:
            self.deliver(len(self.post) - 1)

    def deliver(self, number: int, *, anew: bool = False) -> None:
        """Deliver one of the post, perhaps once more, perhaps under another number."""
        event, payload, guid = self.post[number]
        answer = self.parts.inside.deliver(event, payload, "" if anew else guid)
        run_id = answer["run_id"]
        known = self.answers[self.run(run_id).order.key]
        assert not known or run_id in known, f"promise 2: {run_id} is one more than {known}"
        known.add(run_id)

    # Runs.

    def run(self, run_id: str) -> Run:
        """A run as the ledger has it."""
        return self.parts.inside.run(run_id)

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        return [self.run(run_id) for run_id in self.parts.inside.redis.zrange(keys.RUNS, 0, -1)]

    def open(self) -> list[Run]:
        """Those that are not over."""
        return [run for run in self.runs() if not run.state.final]

    def time_passes(self, run_id: str) -> None:
        """Parked runs wake, leases of the dead expire: nobody is at work between two steps."""
        redis = self.parts.inside.redis
        self.parts.inside.hurry(run_id)
        if redis.zscore(keys.LEASES, run_id) is not None:
            redis.zadd(keys.LEASES, {run_id: 0})

    def visit(self, run_id: str) -> str:
        """One visit of a worker, in this process."""
        self.time_passes(run_id)
        with self._working(run_id):
            return self.parts.inside.advance(run_id)

    def killed_visit(self, run_id: str, arm: Callable[[Callable[[], None]], None]) -> bool:
        """One visit of a worker process that SIGKILL ends where `arm` says; whether it struck."""
        self.time_passes(run_id)
        ready, go = os.pipe()
        # The child leaves by _exit or by SIGKILL: nothing of this process is undone in it.
        child = os.fork()
        if child == 0:
            os.read(ready, 1)
            try:
                unhurried()
                pipeline.advance(self.parts.doomed.shop, run_id, str(uuid.uuid4()))
            finally:
                os._exit(0)
        arm(lambda: os.kill(child, signal.SIGKILL))
        with self._working(run_id):
            os.write(go, b"x")
            _, status = os.waitpid(child, 0)
        os.close(ready)
        os.close(go)
        return os.WIFSIGNALED(status)

    @contextmanager
    def _working(self, run_id: str) -> Iterator[None]:
        strict = self.parts.strict
        strict.by = run_id
        try:
            yield
        finally:
            strict.by = HAND
            strict.calm()
            self.parts.gate.arm(-1, lambda: None, after=False)

    def drain(self, after_each: Callable[[], None]) -> None:
        """Things calm down: every run is visited until it is over, and GitHub is told."""
        for _ in range(ROUNDS):
            pending = self.open()
            if not pending:
                break
            for run in pending:
                if run.state is State.WAITING:
                    self.out_of_patience(run.id)
                self.visit(run.id)
                after_each()
        for run in self.runs():
            reporting.report(self.parts.inside.shop, run.id, str(uuid.uuid4()))

    def out_of_patience(self, run_id: str) -> None:
        """The time for an approval is over."""
        self.parts.inside.redis.hset(keys.run(run_id), "waiting_since", 1)

    def story(self) -> str:
        """All that may explain a broken promise."""
        lines = [
            f"{c[:7]} code {self.code[c]} after {[p[:7] for p in self.parents[c]]}"
            for c in self.code
        ]
        lines += [str(move) for move in self.parts.strict.moves]
        for run in self.runs():
            head = (
                f"{run.id} {run.order.environment} {run.order.commit[:7]} {run.state} {run.error}"
            )
            lines += [head, self.parts.inside.log(run.id)]
        return "\n".join(lines)

    def versions(self, function: str) -> dict[str, dict[str, Any]]:
        """A function's published versions, by number."""
        return {v["Version"]: v for v in self.parts.cloud.versions(function)}

    def live(self, function: str, alias: str) -> str | None:
        """The version that an alias points to, as moto has it."""
        found = self.parts.cloud.alias(function, alias)
        return str(found["FunctionVersion"]) if found else None

    def record(self, run_id: str, name: str) -> Any:
        """A field of a run that holds JSON."""
        text = self.parts.inside.redis.hget(keys.run(run_id), name)
        return json.loads(text) if text else None
