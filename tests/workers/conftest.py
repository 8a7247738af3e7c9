"""A workshop of this process on real Redis, and the strict AWS behind its sessions."""

import base64
import hashlib
import io
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config import server
from config.settings import Settings
from tests.aws.strict import StrictAws
from tests.inside import reaches
from tests.ledger.conftest import STAGES
from tests.orders import order
from tests.stand_ins.aws import AwsStandIn
from workers.ledger import Ledger, keys
from workers.ledger.lease import Lease
from workers.ledger.model.order import Order
from workers.ledger.model.run import Release, Run, State
from workers.workshop import Workshop

FUNCTION = "MoviesLoader"
HOME = "123456789012/eu-west-3"
"""The account and region of the stand-in."""

PUBLISHED = keys.published(HOME, FUNCTION)
REPOSITORY = "octo/movies-loader"
OPERATOR = """
[environments.sandbox]
branch = "develop"
keep_versions = 2

[environments.production]
branch = "master"
keep_versions = 2

[[repositories]]
name = "octo/*"
functions = ["Movies*"]
bucket = "packages"
"""


@dataclass
class Yard:
    """A workshop, and versions that were published as runs publish them."""

    make: Callable[..., Workshop]
    strict: StrictAws
    cloud: AwsStandIn
    shop: Workshop
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        """The book of record."""
        return self.shop.ledger

    @property
    def client(self) -> Any:
        """Lambda, past the strict proxy."""
        return self.cloud.client("lambda")

    def numbers(self, function: str = FUNCTION) -> list[str]:
        """The versions that AWS has."""
        return [version["Version"] for version in self.cloud.versions(function)]

    def publish(self, description: str, function: str = FUNCTION) -> Release:
        """New code and a version, straight at AWS."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("index.py", str(uuid.uuid4()))
        self.client.update_function_code(FunctionName=function, ZipFile=buffer.getvalue())
        answer = self.client.publish_version(FunctionName=function, Description=description)
        sha256 = base64.b64encode(hashlib.sha256(buffer.getvalue()).digest()).decode()
        return Release(function=function, version=answer["Version"], sha256=sha256)

    def order(self, commit: str, environment: str, branch: str = "develop") -> Order:
        """What a push asks for; `facts` say more about its repository."""
        ref = f"refs/heads/{branch}"
        return order(commit=commit, environment=environment, ref=ref, **self.facts)

    def take(self, environment: str, commit: str) -> tuple[str, Lease]:
        """A run of a commit, and the hold on it."""
        branch = {"sandbox": "develop", "production": "master"}[environment]
        wanted = self.order(commit, environment, branch)
        run_id = self.ledger.accept(wanted, "", STAGES, "build").run_id
        lease = self.ledger.lease(run_id, "w", run_id, seconds=60, capacity=50)
        assert isinstance(lease, Lease)
        return run_id, lease

    def release(self, environment: str = "sandbox", *, commit: str = "", ends: bool = True) -> str:
        """Publish, move the alias and write all of it down as a run does; the version."""
        commit = commit or uuid.uuid4().hex + "0" * 8
        _, lease = self.take(environment, commit)
        made = self.publish(commit).model_copy(update={"alias": environment})
        lease.published(PUBLISHED, made.version or "", commit, made.sha256 or "")
        lease.releases([made])
        self.point(environment, made.version or "")
        self.went_live(lease, made, commit, environment)
        if ends:
            lease.finish(State.SUCCEEDED, ())
        return made.version or ""

    def went_live(self, lease: Lease, made: Release, commit: str, environment: str) -> None:
        """Write down that a run made a version live."""
        wanted = self.order(commit, environment)
        row = made.model_dump() | {"commit": commit, "source": wanted.source.model_dump()}
        row |= {"repository": wanted.repository, "run": lease.run_id}
        lease.live(environment, [(f"{HOME}/{made.function}/{environment}", row)])

    def point(self, alias: str, version: str, function: str = FUNCTION, **weights: float) -> None:
        """Have an alias lead somewhere, by hand."""
        request = {
            "FunctionName": function,
            "Name": alias,
            "FunctionVersion": version,
            "RoutingConfig": {"AdditionalVersionWeights": weights},
        }
        if self.cloud.alias(function, alias):
            self.client.update_alias(**request)
        else:
            self.client.create_alias(**request)

    def run(self, run_id: str) -> Run:
        """A run as the ledger has it."""
        found = self.ledger.history.run(run_id)
        assert found
        return found


@pytest.fixture
def yard(
    tmp_path: Path, redis: Any, redis_server: Any, aws: AwsStandIn, monkeypatch: Any
) -> Iterator[Yard]:
    """An empty AWS with one function."""

    def make(operator: str, **settings: Any) -> Workshop:
        file = tmp_path / "server.toml"
        file.write_text(operator)
        chosen = {
            "config": file,
            "data_dir": tmp_path / "data",
            "redis_url": redis_server.url,
            "github_webhook_secrets": "a webhook secret",
            "github_api_url": "http://127.0.0.1:9",
            **settings,
        }
        return Workshop(Settings(**chosen), server.load(file))

    with StrictAws(aws.url) as strict:
        reaches(monkeypatch, aws, strict)
        aws.create_function(FUNCTION)
        yield Yard(make, strict, aws, make(OPERATOR))
