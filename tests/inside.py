"""Slipway's web and worker in this process, so that a test can stop them anywhere.

Everything outside is as real as in the end-to-end tests: Redis, git over HTTP, AWS over HTTP.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from redis import Redis

from config import server
from config.settings import Settings
from local.redis import EmbeddedRedis
from service import create_app
from service.webhooks.signature import sign
from tests.aws.strict import StrictAws
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import TOKEN, GitHub
from workers.aws import session
from workers.ledger import keys
from workers.ledger.model.run import Run
from workers.pipeline import walk
from workers.workshop import Workshop

SECRET = "a webhook secret for the inside"
PEOPLE = {"alice": "alices-own-token", "bob": "bobs-own-token"}
ROUNDS = 60
"""Visits after which a run that still is not over never will be."""


class Inside:
    """One Slipway in this process: deliveries go in, `advance` walks runs."""

    def __init__(
        self, folder: Path, operator: str, redis: EmbeddedRedis, github: GitHub, **settings: Any
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "server.toml"
        file.write_text(operator)
        chosen = {
            "config": file,
            "data_dir": folder / "data",
            "redis_url": redis.url,
            "github_webhook_secrets": SECRET,
            "github_api_url": github.api_url,
            "github_token": TOKEN,
            "api_tokens": ",".join(":".join(pair) for pair in PEOPLE.items()),
            **settings,
        }
        self.github = github
        self.shop = Workshop(Settings(**chosen), server.load(file))
        self.web = create_app(self.shop.settings, self.shop.operator).test_client()
        self.redis: Any = Redis.from_url(redis.url, decode_responses=True)

    def deliver(self, event: str, payload: Mapping[str, Any], guid: str = "") -> dict[str, Any]:
        """One delivery, as GitHub sends it; what it was answered."""
        body = json.dumps(payload).encode()
        answer = self.web.post(
            "/webhooks/github",
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-GitHub-Event": event,
                "X-GitHub-Delivery": guid or str(uuid.uuid4()),
                "X-Hub-Signature-256": sign(SECRET, body).decode(),
            },
        )
        assert answer.status_code in (200, 202), answer.text
        return dict(answer.json)

    def push(self, repository: str, branch: str, files: Mapping[str, Any], **more: Any) -> str:
        """Commit, tell Slipway, and give the run's id."""
        self.github.commit(repository, branch, files, **more)
        return self.told(repository, branch)

    def told(self, repository: str, branch: str) -> str:
        """Tell Slipway of a branch as it is now; the run's id."""
        return str(self.deliver("push", self.github.push_payload(repository, branch))["run_id"])

    def call(self, path: str, who: str = "alice", **body: Any) -> tuple[int, dict[str, Any]]:
        """POST to the API as somebody; status and JSON."""
        bearer = {"Authorization": f"Bearer {PEOPLE[who]}"}
        answer = self.web.post(f"/api/v1{path}", json=body, headers=bearer)
        return answer.status_code, dict(answer.json or {})

    def advance(self, run_id: str) -> str:
        """One visit of a worker to a run; why it ended, in a word."""
        return walk.advance(self.shop, run_id, str(uuid.uuid4()))

    def run(self, run_id: str) -> Run:
        """A run as the ledger has it."""
        run = self.shop.ledger.history.run(run_id)
        assert run is not None, run_id
        return run

    def hurry(self, run_id: str) -> None:
        """Let the time pass that a parked run sleeps; Redis's clock can't be turned forward."""
        if self.redis.zscore(keys.DUE, run_id) is not None:
            self.redis.zadd(keys.DUE, {run_id: 0})

    def ended(self, run_id: str, visit: Callable[[str], object] | None = None) -> Run:
        """Visit a run until it is over."""
        for _ in range(ROUNDS):
            if (run := self.run(run_id)).state.final:
                return run
            self.hurry(run_id)
            (visit or self.advance)(run_id)
        raise AssertionError(f"{self.run(run_id)}\n{self.log(run_id)}")

    def stage(self, run_id: str, name: str) -> str:
        """What one stage of a run did, in its own words."""
        return next(one.summary or "" for one in self.run(run_id).stages if one.name == name)

    def log(self, run_id: str) -> str:
        """A run's log."""
        return self.shop.ledger.history.text(run_id)


def reaches(patch: Any, cloud: AwsStandIn, strict: StrictAws) -> None:
    """Have this process's AWS sessions talk to the strict AWS from now on."""
    for name, value in cloud.environment().items():
        patch.setenv(name, value)
    patch.setenv("AWS_ENDPOINT_URL", strict.url)
    # What earlier tests had in this process speaks to another address.
    session._known.forget()
