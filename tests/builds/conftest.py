"""What builds a small repository and loads what came out of it."""

import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.pipeline import Pipeline, parse
from tests.docker.conftest import Quiet
from tests.stand_ins.images import ensure_images
from workers.docker import litter
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.docker.workbench import Workbench
from workers.packaging.package import Package

IMAGES = ("python:3.11-slim", "node:20-slim", "golang:1.19")
SECONDS = 500


@dataclass
class Shape:
    """A repository's files, what they build, and what each function's zip holds."""

    engine: Engine
    folder: Path
    labels: Mapping[str, str]
    said: list[str] = field(default_factory=list)
    made: dict[str, Package] = field(default_factory=dict)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write the repository's files."""
        for name, text in files.items():
            file = self.folder / "source" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def build(self, text: str, network: str = "host", again: str = "") -> dict[str, list[str]]:
        """Build by slipway.toml's text; the names in each function's zip."""
        pipeline: Pipeline = parse(text)
        bench = Workbench(
            engine=self.engine,
            source=self.folder / "source",
            folder=self.folder / f"made{again}",
            where="commit abc1234",
            labels=self.labels,
            bounds=Bounds(network, "shapes"),
            seconds=SECONDS,
            say=lambda who, text: self.said.append(f"[{who}] {text}"),
            watch=Quiet(),
        )
        args = pipeline.build.arguments(environment="sandbox", commit="c", branch="b")
        self.made = bench.build(pipeline, args).packages
        return {name: zipfile.ZipFile(one.path).namelist() for name, one in self.made.items()}

    def unpacked(self, name: str = "F") -> Path:
        """The folder that a function's zip was unpacked into, as Lambda does it."""
        into = self.folder / "task" / name
        with zipfile.ZipFile(self.made[name].path) as packed:
            for one in packed.infolist():
                mode = one.external_attr >> 16
                target = into / one.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                if mode & 0o170000 == 0o120000:
                    target.symlink_to(packed.read(one).decode())
                else:
                    target.write_bytes(packed.read(one))
                    target.chmod(mode & 0o777)
        return into

    def run(self, image: str, command: list[str], name: str = "F") -> str:
        """What a command says in an image of a runtime, with the function's files at /var/task."""
        client = self.engine.client
        output = client.containers.run(
            image,
            command,
            remove=True,
            network_mode="none",
            working_dir="/var/task",
            volumes={str(self.unpacked(name)): {"bind": "/var/task", "mode": "ro"}},
            labels=dict(self.labels),
            stderr=True,
        )
        return output.decode().strip()

    def python(self, code: str, name: str = "F") -> str:
        """What Python code says, which has the function's files as Lambda's own has them."""
        return self.run("python:3.11-slim", ["python", "-B", "-c", code], name)

    def node(self, code: str, name: str = "F") -> str:
        """What JavaScript says, which has the function's files."""
        return self.run("node:20-slim", ["node", "-e", code], name)


@pytest.fixture(scope="session")
def runtimes(docker_host: str, cache: Path) -> str:
    """The engine's DOCKER_HOST; it holds the presets' base images."""
    ensure_images(docker_host, IMAGES, cache)
    return docker_host


@pytest.fixture
def shape(runtimes: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shape]:
    """An empty repository; what it leaves on the engine goes at the end."""
    run = f"shape-{abs(hash(request.node.nodeid)):x}"
    engine = Engine({"DOCKER_HOST": runtimes, "PATH": os.environ["PATH"]})
    yield Shape(engine, tmp_path, litter.labels(run, 1))
    litter.remove_run(engine, run)
