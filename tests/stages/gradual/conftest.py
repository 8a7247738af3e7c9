"""Releases of published versions: real Redis, git and clock, and an AWS as strict as AWS."""

import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
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
from workers.ledger import keys
from workers.ledger.model.run import Release, Run

REPOSITORY = "octo/store"
A, B = "StoreList", "StoreAdd"
ALIAS = "production"
ALARM = "store-errors"
OPERATOR = """
[environments.production]
branch = "master"
strategy = "{strategy}"
{more}

[environments.other]
branch = "other"

[[repositories]]
name = "octo/*"
functions = ["Store*"]
bucket = "packages"
"""


@dataclass
class Lane:
    """A Slipway with one environment, whose runs have nothing but the release to do."""

    inside: Inside
    strict: Gate
    cloud: AwsStandIn
    github: GitHub

    def function(self, name: str) -> None:
        """A function without versions."""
        self.cloud.create_function(name)

    def commit(self, text: str, branch: str = "master") -> str:
        """A commit on a branch."""
        return self.github.commit(REPOSITORY, branch, {"main.py": text})

    def publish(self, function: str, commit: str) -> str:
        """A version that bears a commit."""
        client = self.cloud.client("lambda")
        client.update_function_code(FunctionName=function, ZipFile=f"{commit}{function}".encode())
        return str(client.publish_version(FunctionName=function, Description=commit)["Version"])

    def live(self, function: str, version: str, **weights: float) -> None:
        """An alias made or moved by hand; weights as v2=0.1."""
        shares = {name.removeprefix("v"): share for name, share in weights.items()}
        client, names = self.cloud.client("lambda"), {"FunctionName": function, "Name": ALIAS}
        known = self.cloud.alias(function, ALIAS)
        (client.update_alias if known else client.create_alias)(
            **names, FunctionVersion=version, RoutingConfig={"AdditionalVersionWeights": shares}
        )
        # The strict AWS gives a new revision only to what it has seen itself.
        self.strict._aliases.pop((function, ALIAS), None)

    def begin(self, *functions: str, text: str, branch: str = "master", **more: Any) -> str:
        """Commit, publish, and accept a run that has only its release before it; the run's id."""
        commit = self.commit(text, branch)
        releases = [
            Release(function=name, version=self.publish(name, commit)) for name in functions
        ]
        return self.accept(commit, releases, branch, **more)

    def accept(self, commit: str, releases: list[Release], branch: str, **more: Any) -> str:
        """A run that has only its release before it."""
        environment = ALIAS if branch == "master" else branch
        repository = self.github.repository(REPOSITORY)
        wanted = order(
            repository=REPOSITORY,
            repository_id=repository.id,
            clone_url=repository.clone_url,
            ref=f"refs/heads/{branch}",
            commit=commit,
            environment=environment,
            **more,
        )
        run_id = self.inside.shop.ledger.accept(wanted, "", ("release",), "deploy").run_id
        tables = "".join(
            f'[functions.{one.function}]\nruntime = "python3.11"\nhandler = "main.run"\n'
            for one in releases
        )
        fields = {"pipeline": tables, "releases": json.dumps([r.model_dump() for r in releases])}
        self.inside.redis.hset(f"{keys.RUN}{run_id}", mapping=fields)
        return run_id

    def visit(self, run_id: str) -> str:
        """One visit, whenever the run wants it."""
        self.inside.hurry(run_id)
        return self.inside.advance(run_id)

    def until(self, run_id: str, ready: Callable[[Run], bool], seconds: float = 20) -> Run:
        """Visit a run, each time as if a sweep had found it, until something is true of it."""
        deadline = time.monotonic() + seconds
        while not ready(run := self.inside.run(run_id)):
            assert time.monotonic() < deadline, f"{run}\n{self.inside.log(run_id)}"
            if run.state.final:
                raise AssertionError(f"{run.state}: {run.error}\n{self.inside.log(run_id)}")
            self.visit(run_id)
            time.sleep(0.1)
        return run

    def due(self, run_id: str) -> None:
        """Let the time of the step in force pass, without a visit."""
        rollout = self.inside.run(run_id).rollout
        assert rollout
        while self.inside.shop.ledger.now() < (rollout.next_at or 0):
            time.sleep(0.02)

    def ended(self, run_id: str, seconds: float = 20) -> Run:
        """Visit a run until it has ended."""
        return self.until(run_id, lambda run: run.state.final, seconds)

    def at(self, run_id: str, percent: int) -> Run:
        """Visit a run until a share is in force."""
        return self.until(run_id, lambda run: bool(run.rollout and run.rollout.percent == percent))

    def alias(self, function: str) -> tuple[str, dict[str, float]] | None:
        """The version and the weights of a function's alias."""
        found = self.cloud.alias(function, ALIAS)
        if found is None:
            return None
        weights = found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        return found["FunctionVersion"], weights

    def alarm(self, name: str = ALARM, **changes: Any) -> None:
        """A CloudWatch alarm on the errors of the function A, through its alias."""
        known = {
            "AlarmName": name,
            "Namespace": "AWS/Lambda",
            "MetricName": "Errors",
            "Dimensions": dimensions(FunctionName=A, Resource=f"{A}:{ALIAS}"),
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Statistic": "Sum",
        }
        known.update(changes)
        self.cloud.client("cloudwatch").put_metric_alarm(
            **{key: value for key, value in known.items() if value is not None}
        )

    def state(self, state: str, name: str = ALARM) -> None:
        """Set an alarm's own state."""
        self.cloud.client("cloudwatch").set_alarm_state(
            AlarmName=name, StateValue=state, StateReason="a test says so"
        )

    def errors(self, version: str, count: float = 3, function: str = A, **more: str) -> None:
        """Errors of one version behind the alias, as Lambda reports them."""
        datum = {
            "MetricName": more.pop("metric", "Errors"),
            "Dimensions": dimensions(
                FunctionName=function, Resource=f"{function}:{ALIAS}", ExecutedVersion=version
            ),
            "Value": count,
        }
        self.cloud.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=[datum])

    def kill(self, run_id: str, hold: Hold) -> None:
        """Visit a run in a process of its own, and kill that when it stands at the gate."""
        self.lose(run_id, hold)
        hold.open(cut=not hold.after)

    def lose(self, run_id: str, *holds: Hold) -> None:
        """As `kill`, but what it has asked of AWS is still on its way."""
        self.inside.hurry(run_id)
        child = os.fork()
        if child == 0:
            self.inside.advance(run_id)
            os._exit(0)
        struck = all(hold.reached.wait(20) for hold in holds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert struck, "the visit never came to the gate"
        # Dead workers lose their runs when their leases are over.
        self.inside.redis.zadd(keys.LEASES, {run_id: 0})

    def shares(self, function: str) -> list[float | None]:
        """The shares that a function's alias was given, each once in a row; None for all."""
        found: list[float | None] = []
        for one in self.strict.requests:
            if one.operation == "UpdateAlias" and one.function == function:
                weights = one.json["RoutingConfig"]["AdditionalVersionWeights"]
                share = next(iter(weights.values()), None)
                if found[-1:] != [share]:
                    found.append(share)
        return found

    def writes(self) -> list[str]:
        """What was asked of Lambda's aliases, and changed something."""
        names = {"CreateAlias", "UpdateAlias", "DeleteAlias"}
        return [one.operation for one in self.strict.requests if one.operation in names]


def dimensions(**values: str) -> list[dict[str, str]]:
    """Dimensions as CloudWatch wants them."""
    return [{"Name": name, "Value": value} for name, value in values.items()]


@pytest.fixture
def lane(
    tmp_path: Path,
    redis: Any,
    redis_server: EmbeddedRedis,
    aws: AwsStandIn,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Lane]:
    """Two functions at version 1 of a first commit; a `lane` mark has strategy, more, settings."""
    mark = request.node.get_closest_marker("lane")
    chosen = {"strategy": "canary-10-percent-1-second", "more": "", **(mark.kwargs if mark else {})}
    operator = OPERATOR.format(strategy=chosen.pop("strategy"), more=chosen.pop("more"))
    settings = {"lease_seconds": 5, "capacity": 50, **chosen}
    with GitHub(tmp_path / "github") as github, Gate(aws.url) as strict:
        reaches(monkeypatch, aws, strict)
        github.create_repository(REPOSITORY, default_branch="master")
        inside = Inside(tmp_path / "slipway", operator, redis_server, github, **settings)
        lane = Lane(inside, strict, aws, github)
        first = lane.commit(f"first {uuid.uuid4()}")
        for name in (A, B):
            lane.function(name)
            lane.live(name, lane.publish(name, first))
        yield lane
