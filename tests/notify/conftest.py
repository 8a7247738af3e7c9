"""A reporter on a real ledger, with a real mail server and a Slack of its own."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from config.server import parse
from config.settings import Settings
from local.redis import EmbeddedRedis
from tests.orders import order
from tests.stand_ins.slack import Slack
from tests.stand_ins.smtp import Smtp
from workers import report as reporting
from workers.ledger import keys
from workers.ledger.lease import Lease
from workers.ledger.model.approval import candidate
from workers.ledger.model.order import Order
from workers.ledger.model.run import Release, StageRecord, StageState, State
from workers.workshop import Workshop

STAGES = ("checkout", "test", "build", "publish", "deploy", "verify", "approve", "release")
TEAM = ("team@example.com", "lead@example.com")
OPERATOR = """
[environments.sandbox]
branch = "develop"

[environments.production]
branch = "master"
email = ["team@example.com", "lead@example.com"]

[[repositories]]
name = "octo/*"
"""
PACKAGES = json.dumps({"MoviesLoader": "aGFzaA=="})
RELEASE = Release(function="MoviesLoader", version="7", alias="production", sha256="aGFzaA==")
CANDIDATE = candidate(PACKAGES)
PUBLIC_URL = "https://slipway.example.com"


class Office:
    """One reporter's world: runs that go on as told, and what was said of them."""

    def __init__(self, shop: Workshop, redis: Redis, slack: Slack, mail: Smtp) -> None:
        self.shop = shop
        self.redis: Any = redis
        self.slack = slack
        self.mail = mail
        self._leases: dict[str, Lease] = {}

    def set(self, **changes: object) -> None:
        """Go on with other settings, as after a restart."""
        kept = self.shop.settings
        fields = {name: getattr(kept, name) for name in type(kept).model_fields}
        chosen = Settings.model_validate(fields | changes)
        self.shop = Workshop(chosen, self.shop.operator)

    def operate(self, text: str) -> None:
        """Go on with another operator's file."""
        self.shop = Workshop(self.shop.settings, parse(text))

    def accept(self, **changes: object) -> str:
        """Take an order on; a deploy to production unless told otherwise. The run's id."""
        wanted: dict[str, object] = {
            "environment": "production",
            "ref": "refs/heads/master",
            "sender": "ada",
        }
        return self.shop.ledger.accept(self.order(**wanted | changes), "", STAGES, "build").run_id

    def order(self, **changes: object) -> Order:
        """An order."""
        return order(**changes)

    def start(self, run_id: str) -> str:
        """A worker takes the run and says a word in its log."""
        lease = self.shop.ledger.lease(run_id, "w", f"n-{run_id}", seconds=60, capacity=99)
        assert isinstance(lease, Lease)
        self._leases[run_id] = lease
        lease.write(packages=PACKAGES, subject="Load the films <!channel> & more")
        lease.say("checkout", "the first line of the log: é\n", 2_000_000)
        return run_id

    def lease(self, run_id: str) -> Lease:
        """The lease on a run that was started."""
        return self._leases[run_id]

    def say(self, run_id: str, text: str) -> None:
        """Add to the run's log."""
        self._leases[run_id].say("test", text, 10_000_000)

    def wait(self, run_id: str) -> None:
        """Park the run for people."""
        now = int(time.time() * 1000)
        states = [StageState.SUCCEEDED] * 6 + [StageState.WAITING, StageState.PENDING]
        stages = tuple(
            StageRecord(name=name, state=state, started_at=now)
            for name, state in zip(STAGES, states, strict=True)
        )
        self._leases[run_id].releases([RELEASE.model_copy(update={"alias": None})])
        self._leases[run_id].park(State.WAITING, stages, delay=3600, queue="deploy")

    def end(
        self, run_id: str, state: str = "succeeded", why: str = "", stage: str = "test"
    ) -> None:
        """End the run; `stage` is the one that did not succeed, if any."""
        if not why:
            self._leases[run_id].releases([RELEASE])
        self._leases[run_id].finish(
            State(state), _stages(why, stage), "user" if state == "failed" else "", why
        )

    def report(self, run_id: str) -> dict[str, str]:
        """What a report task does; what is noted as told."""
        reporting.report(self.shop, run_id, f"t-{time.monotonic_ns()}")
        return self.told(run_id)

    def told(self, run_id: str) -> dict[str, str]:
        """What is noted as told."""
        found: dict[str, str] = json.loads(self.redis.hget(keys.run(run_id), "told") or "{}")
        return found

    def due(self, run_id: str) -> float:
        """Seconds until the next report of the run, which must be due."""
        score = self.redis.zscore(keys.REPORTS, run_id)
        assert score is not None, "no report is due"
        return float(score / 1000 - time.time())

    def patience(self, run_id: str) -> None:
        """Have every channel's pause be over, as if that time had passed."""
        told = self.told(run_id)
        for key in [key for key in told if key.endswith("|pause")]:
            told[key] = json.dumps({**json.loads(told[key]), "until": 0})
        self.redis.hset(keys.run(run_id), "told", json.dumps(told))

    def log(self, run_id: str) -> str:
        """The run's log."""
        return self.shop.ledger.history.text(run_id)


def _stages(why: str, broken: str) -> tuple[StageRecord, ...]:
    now = int(time.time() * 1000)
    records, over = [], False
    for name in STAGES:
        if over:
            records.append(StageRecord(name=name, state=StageState.SKIPPED))
            continue
        over = bool(why) and name == broken
        records.append(
            StageRecord(
                name=name,
                state=StageState.FAILED if over else StageState.SUCCEEDED,
                started_at=now - 1500,
                finished_at=now,
                error=why if over else None,
                summary=None if over else f"{name} done",
            )
        )
    return tuple(records)


@pytest.fixture
def slack() -> Iterator[Slack]:
    """A Slack of its own."""
    with Slack() as slack:
        yield slack


@pytest.fixture
def mail() -> Iterator[Smtp]:
    """A mail server of its own."""
    with Smtp() as mail:
        yield mail


def settings(redis_url: str, **changes: object) -> Settings:
    """Settings of a process with nothing but the ledger, unless told otherwise."""
    fields: dict[str, object] = {
        "config": Path("server.toml"),
        "public_url": PUBLIC_URL,
        "github_webhook_secrets": "a-secret-of-github",
        "redis_url": redis_url,
    }
    return Settings.model_validate(fields | changes)


@pytest.fixture
def office(redis: Redis, redis_server: EmbeddedRedis, slack: Slack, mail: Smtp) -> Office:
    """Slack with buttons, and email for production."""
    chosen = settings(
        redis_server.url,
        slack_webhook_url=slack.url,
        slack_signing_secret="a-signing-secret",
        smtp_url=mail.url,
        email_from="Slipway <deploys@example.com>",
    )
    return Office(Workshop(chosen, parse(OPERATOR)), redis, slack, mail)
