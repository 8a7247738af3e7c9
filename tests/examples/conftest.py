"""The watchlist's repositories as git knows them, built and tested as Slipway does it."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.pipeline import Pipeline, load
from tests.docker.conftest import Quiet
from tests.stand_ins.images import ensure_images
from tests.stand_ins.watchlist import FOLDER as WATCHLIST
from tests.stand_ins.watchlist import IMAGES, tracked
from workers.docker import litter
from workers.docker.bounds import Bounds
from workers.docker.checks import Limits, Outcome, run_check
from workers.docker.engine import Engine
from workers.docker.workbench import Output, Workbench

# Go compiles its own library the first time: a minute on two idle processors.
PATIENCE = 800
LIMITS = Limits(memory="2g", cpus=2, pids=512, seconds=PATIENCE)
FENCE = 1


def copy(name: str, target: Path) -> Path:
    """A copy of one of the watchlist's folders, without what is not git's."""
    for path, data in tracked(WATCHLIST / name).items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return target


@dataclass
class Example:
    """One repository's copy, and what Slipway makes of it."""

    source: Path
    bench: Workbench
    said: list[str] = field(default_factory=list)

    @property
    def pipeline(self) -> Pipeline:
        """Its slipway.toml."""
        return load(self.source / "slipway.toml")

    def build(self, environment: str = "sandbox") -> Output:
        """What a push to an environment's branch would release."""
        args = self.pipeline.build.arguments(environment=environment, commit="", branch="")
        return self.bench.build(self.pipeline, args)

    def check(self) -> dict[str, Outcome]:
        """Run all checks at once, as the test stage does."""
        test = self.pipeline.test
        assert test is not None
        with (
            self.bench.image(test.dockerfile, "test", network=False) as image,
            ThreadPoolExecutor(len(test.checks)) as pool,
        ):
            outcomes = pool.map(lambda name: self._check(image, name), test.checks)
            return dict(zip(test.checks, outcomes, strict=True))

    def _check(self, image: str, name: str) -> Outcome:
        assert self.pipeline.test is not None
        return run_check(
            self.bench.engine,
            image,
            self.pipeline.test.checks[name].run,
            name=name,
            labels=self.bench.labels,
            limits=LIMITS,
            network="none",
            say=lambda text: self.said.append(f"{name}: {text}"),
            watch=self.bench.watch,
        )


@pytest.fixture(scope="session")
def base_images(docker_host: str, cache: Path) -> str:
    """The images that the examples' Dockerfiles begin with; the engine's DOCKER_HOST."""
    ensure_images(docker_host, IMAGES, cache)
    return docker_host


@pytest.fixture
def bench(base_images: str, engine, tmp_path: Path, request) -> Iterator[Callable[[Path], Example]]:
    """Makes an Example out of a source tree; what it leaves on the engine goes at the end."""
    run = f"examples-{abs(hash(request.node.nodeid)):x}"
    labels: Mapping[str, str] = litter.labels(run, FENCE)
    real = Engine(engine.environment())

    def make(source: Path) -> Example:
        example: Example

        def say(who: str, text: str) -> None:
            example.said.append(f"{who}: {text}")

        made = Workbench(
            engine=real,
            source=source,
            folder=tmp_path / f"{source.name}-made",
            where="the working copy",
            labels=labels,
            bounds=Bounds("none", "examples"),
            seconds=PATIENCE,
            say=say,
            watch=Quiet(),
        )
        example = Example(source, made)
        return example

    yield make
    litter.remove_run(real, run)


@pytest.fixture
def example(bench, tmp_path: Path) -> Callable[[str], Example]:
    """One of the watchlist's repositories by name."""
    return lambda name: bench(copy(name, tmp_path / name))
