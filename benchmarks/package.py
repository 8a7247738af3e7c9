"""A cached image build of 6,000 files and 60 MB into a zip: Slipway, and three other ways."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks.measure import Options, median, turns
from local.packages import can_install, install
from tests.stand_ins.engine import Engine
from tests.stand_ins.images import ensure_images

IMAGE = "python:3.11-slim"
TAG = "slipway-benchmark/package"
FILES, MEGABYTES = 6000, 60
GENERATE = Path(__file__).with_name("generate.py")
DOCKERFILE = f"""\
FROM {IMAGE} AS build
COPY generate.py /
RUN python /generate.py /app FILES MEGABYTES

FROM scratch
COPY --from=build /app /app
"""


class Bench:
    """The image's context and the ways to a zip of it."""

    def __init__(self, engine: Engine, folder: Path, files: int, megabytes: int) -> None:
        self.environment = {**os.environ, **engine.environment()}
        self.docker = str(engine.client)
        self.folder = folder
        self.context = folder / "context"
        self.context.mkdir(parents=True)
        shutil.copy(GENERATE, self.context)
        dockerfile = DOCKERFILE.replace("FILES", str(files)).replace("MEGABYTES", str(megabytes))
        (self.context / "Dockerfile").write_text(dockerfile)

    def run(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run a program to its end; its output."""
        done = subprocess.run(
            arguments, env=self.environment, cwd=cwd, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
        return done.stdout.strip()

    def build(self, *options: str) -> str:
        """Build the image with BuildKit, from its cache after the first time."""
        return self.run(self.docker, "build", "--quiet", "--network=none", *options, self.context)

    def zipped(self, tree: Path) -> dict:
        """`zip -r` of a folder on disk."""
        target = self.folder / "out.zip"
        self.run("zip", "-q", "-r", str(target), ".", cwd=tree)
        return {"size": target.stat().st_size}

    def copied(self) -> dict:
        """What everybody does: build, create, `docker cp`, `zip -r`."""
        image = self.build(f"--tag={TAG}")
        container = self.run(self.docker, "create", "--network=none", image, "none")
        self.run(self.docker, "cp", f"{container}:/app", str(self.folder / "tree"))
        self.run(self.docker, "rm", container)
        return self.zipped(self.folder / "tree")

    def exported(self) -> dict:
        """BuildKit's own export to a folder, `zip -r`."""
        self.build(f"--output=type=local,dest={self.folder / 'tree'}")
        return self.zipped(self.folder / "tree" / "app")

    def ours(self, how: str) -> dict:
        """Slipway's packager in a fresh process, as a worker runs it."""
        command = [sys.executable, "-m", "benchmarks.pack", how]
        return json.loads(self.run(*command, str(self.context), str(self.folder / "tree")))

    def clean(self) -> None:
        """Remove what a turn left, outside of its time."""
        shutil.rmtree(self.folder / "tree", ignore_errors=True)
        (self.folder / "out.zip").unlink(missing_ok=True)

    def timed(self, way: Callable[[], dict]) -> dict:
        """One turn; what a process needed before its work began does not count."""
        os.sync()  # the dirty pages of the turn before are not this turn's
        try:
            began = perf_counter()
            found = way()
            return {"seconds": perf_counter() - began, **found}
        finally:
            self.clean()


def same(bench: Bench) -> None:
    """Make sure that Slipway's zip holds what `zip -r` of `docker cp` holds."""
    bench.copied()
    expected = _contents(bench.folder / "out.zip")
    bench.clean()
    bench.ours("archive")
    found = _contents(next((bench.folder / "tree").glob("*.zip")))
    bench.clean()
    if found != expected:
        raise SystemExit("the packages hold different files")


def _contents(path: Path) -> dict[str, int]:
    with zipfile.ZipFile(path) as package:
        return {one.filename: one.CRC for one in package.infolist() if not one.is_dir()}


def run(options: Options) -> dict:
    """Take turns; the build is in the engine's cache before the first."""
    files, megabytes = (600, 6) if options.quick else (FILES, MEGABYTES)
    if not shutil.which("zip") and can_install():
        install(["zip"], [], print)
    with Engine(options.cache) as engine:
        ensure_images(engine.host, [IMAGE], options.cache)
        bench = Bench(engine, options.folder / "package", files, megabytes)
        bench.build(f"--tag={TAG}")
        ways: dict[str, Callable[[], dict]] = {
            "docker cp, zip -r": bench.copied,
            "type=local, zip -r": bench.exported,
            "type=tar, Slipway's packager": lambda: bench.ours("tar"),
            "Slipway": lambda: bench.ours("archive"),
        }
        same(bench)
        found = turns(list(ways), lambda name: bench.timed(ways[name]), options.rounds)
        with contextlib.suppress(SystemExit):
            bench.run(bench.docker, "rmi", "--force", TAG)
        versions = {"docker": bench.run(bench.docker, "--version"), "zip": _zip_version(bench)}
    rows = [
        {
            "name": name,
            "seconds": median([one["seconds"] for one in results]),
            "size": results[0]["size"],
            "memory": max(one.get("memory", 0) for one in results),
        }
        for name, results in found.items()
    ]
    return {"files": files, "megabytes": megabytes, "versions": versions, "rows": rows}


def _zip_version(bench: Bench) -> str:
    return next(line for line in bench.run("zip", "-v").splitlines() if "This is Zip" in line)
