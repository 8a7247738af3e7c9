"""moto as a process, the strict proxy before it, and functions to deploy to."""

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.aws.strict import StrictAws
from tests.stand_ins.aws import REGION, AwsStandIn
from workers.aws.session import Aws

BUCKET = "packages"
COMMIT_A, COMMIT_B = "a" * 40, "b" * 40


@dataclass(frozen=True)
class Package:
    """A zip on disk and its SHA-256, base64."""

    path: Path
    sha256: str


@dataclass
class Cloud:
    """Where a test works: moto behind the strict proxy."""

    strict: StrictAws
    moto: AwsStandIn
    folder: Path

    def client(self, service: str):
        """A client that goes straight to moto, past proxy and counters."""
        return self.moto.client(service)

    def package(self, text: str) -> Package:
        """A small zip that holds this text."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(zipfile.ZipInfo("main.py", (1980, 1, 1, 0, 0, 0)), text)
        digest = hashlib.sha256(buffer.getvalue()).digest()
        path = self.folder / f"{digest.hex()}.zip"
        path.write_bytes(buffer.getvalue())
        return Package(path, base64.b64encode(digest).decode())

    def function(self, name: str) -> str:
        """Create a function that holds the package `seed`, as terraform would."""
        self.moto.create_function(name, variables={"KEPT": "yes"})
        seed = self.package("seed").path.read_bytes()
        self.client("lambda").update_function_code(FunctionName=name, ZipFile=seed)
        self.client("lambda").update_function_configuration(FunctionName=name, MemorySize=512)
        return name

    def versions(self, name: str) -> list[tuple[str, str]]:
        """What moto holds: version and description, without $LATEST."""
        return [(v["Version"], v["Description"]) for v in self.moto.versions(name)]


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    """A moto server."""
    server = AwsStandIn(log=tmp_path_factory.mktemp("moto") / "log").start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _variables(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("PROFILE", "SESSION_TOKEN", "ENDPOINT_URL", "DEFAULT_REGION", "REGION"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)


@pytest.fixture
def cloud(stand_in, tmp_path):
    """An empty AWS with a bucket."""
    stand_in.reset()
    stand_in.create_bucket(BUCKET)
    with StrictAws(stand_in.url) as strict:
        yield Cloud(strict, stand_in, tmp_path)


@pytest.fixture
def strict(cloud):
    """The proxy."""
    return cloud.strict


@pytest.fixture
def aws(cloud):
    """A session that goes through the proxy."""
    return Aws(REGION, endpoint_url=cloud.strict.url)
