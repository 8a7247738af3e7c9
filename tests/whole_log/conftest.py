"""Visits to runs that say more than the ledger keeps, on real Redis, with S3 behind the proxy."""

import gzip
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config import server
from config.settings import Settings
from tests.aws.strict import StrictAws
from tests.inside import reaches
from tests.orders import order
from tests.stand_ins.aws import AwsStandIn
from workers import report as reporting
from workers.archive.writer import VisitLog
from workers.attempt.console import Console
from workers.ledger import keys
from workers.ledger.lease import Lease
from workers.ledger.model.run import Run, StageRecord, State
from workers.workshop import Workshop

BUCKET = "packages"
SECRET = "a webhook secret"
LIMIT = 20_000
OPERATOR = f"""
[environments.sandbox]
branch = "develop"

[[repositories]]
name = "octo/*"
bucket = "{BUCKET}"
"""


class Mill:
    """One worker, and what became of the logs of its runs."""

    def __init__(self, folder: Path, redis: Any, strict: StrictAws, cloud: AwsStandIn) -> None:
        self.folder = folder
        self.redis = redis
        self.strict = strict
        self.cloud = cloud
        self._url = f"redis://{redis.connection_pool.connection_kwargs['host']}"
        self._url += f":{redis.connection_pool.connection_kwargs['port']}"
        self.shop = self.made()

    def made(self, operator: str = OPERATOR, **changes: Any) -> Workshop:
        """A workshop with small logs."""
        file = self.folder / "server.toml"
        file.write_text(operator)
        chosen = {
            "config": file,
            "data_dir": self.folder / "data",
            "redis_url": self._url,
            "github_webhook_secrets": SECRET,
            "github_api_url": "http://127.0.0.1:9",
            "log_bytes": LIMIT,
            **changes,
        }
        return Workshop(Settings(**chosen), server.load(file))

    def accept(self) -> str:
        """A run that is due."""
        commit = uuid.uuid4().hex + "0" * 8
        return self.shop.ledger.accept(order(commit=commit), "", ("test",), "build").run_id

    def lease(self, run_id: str) -> Lease:
        """The hold on it."""
        nonce = str(uuid.uuid4())
        lease = self.shop.ledger.lease(run_id, "w", nonce, seconds=60, capacity=99)
        assert isinstance(lease, Lease), lease
        return lease

    @contextmanager
    def visit(self, run_id: str) -> Iterator[tuple[Console, Lease]]:
        """A visit's console and lease."""
        lease = self.lease(run_id)
        with Console(VisitLog(self.shop, self.run(run_id), lease), self.shop.masker) as console:
            yield console, lease

    def told(self, run_id: str, text: str, *, ends: bool = True) -> None:
        """One visit that says this; it ends the run, or parks it."""
        with self.visit(run_id) as (console, lease):
            console.say("test", text)
            console.seal()
            self.over(lease) if ends else park(lease)

    def over(self, lease: Lease) -> None:
        """End the run."""
        lease.finish(State.SUCCEEDED, (StageRecord(name="test"),))

    def run(self, run_id: str) -> Run:
        """A run as the ledger has it."""
        found = self.shop.ledger.history.run(run_id)
        assert found
        return found

    def age(self, run_id: str, seconds: float) -> None:
        """Have the run have ended so long ago."""
        at = int((time.time() - seconds) * 1000) - 1
        self.redis.hset(keys.run(run_id), "finished_at", at)

    def report(self, run_id: str) -> str:
        """What a report task does; where the log is said to be, or nothing."""
        reporting.report(self.shop, run_id, str(uuid.uuid4()))
        told = json.loads(self.redis.hget(keys.run(run_id), "told") or "{}")
        return str(told.get("log", ""))

    def stored(self, run_id: str) -> list[str]:
        """The names of the parts in S3."""
        prefix = f"slipway/logs/{run_id}/"
        found = self.cloud.objects(BUCKET)
        return sorted(key.removeprefix(prefix) for key in found if key.startswith(prefix))

    def whole(self, run_id: str) -> str:
        """The parts in S3, one after the other, as text."""
        prefix = f"slipway/logs/{run_id}/"
        packed = b"".join(self.cloud.read(BUCKET, prefix + name) for name in self.stored(run_id))
        return gzip.decompress(packed).decode()

    def spooled(self) -> list[str]:
        """What is on the disk."""
        folder = self.shop.spools
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def park(lease: Lease) -> None:
    """Give a run back; it is due at once."""
    lease.park(State.QUEUED, (StageRecord(name="test"),), delay=0, queue="build")


def lines(count: int, start: int = 0) -> str:
    """Numbered lines of 50 characters."""
    return "".join(f"{number:09} {'x' * 39}\n" for number in range(start, start + count))


def said(text: str, source: str = "test") -> str:
    """Lines as a log shows them."""
    return "".join(f"[{source}] {line}\n" for line in text.splitlines())


@pytest.fixture
def mill(tmp_path: Path, redis: Any, aws: AwsStandIn, monkeypatch: Any) -> Iterator[Mill]:
    """A worker with an empty bucket."""
    with StrictAws(aws.url) as strict:
        reaches(monkeypatch, aws, strict)
        aws.create_bucket(BUCKET)
        yield Mill(tmp_path, redis, strict, aws)
