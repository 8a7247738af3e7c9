"""Builds and packages once with Slipway's own code; its time and the memory above idle.

`python -m benchmarks.pack archive|tar CONTEXT FOLDER`, in a process of its own for the memory.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from workers.docker import images
from workers.docker.archive import export
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.packaging.package import package
from workers.packaging.selection import Selection

LABELS = {"slipway.benchmark": "1"}
MEGABYTE = 1 << 20


class Going:
    """A watch that lets everything go on."""

    def check(self) -> None:
        """Go on."""


def archive(engine: Engine, context: Path, folder: Path) -> dict:
    """As the build stage does it."""
    built = images.build(
        engine,
        context,
        "Dockerfile",
        bounds=Bounds("none", "benchmark"),
        args={},
        labels=LABELS,
        timeout=600,
        say=lambda _: None,
        watch=Going(),
    )
    with export(engine, built, "/app", LABELS, Going()) as tar:
        return package(tar, {"all": Selection()}, folder, root="/app")


def tar(engine: Engine, context: Path, folder: Path) -> dict:
    """BuildKit's own tar into the same packager."""
    arguments = [*engine.builder().arguments, "--quiet", "--network=none"]
    command = [*arguments, "--output=type=tar,dest=-", str(context)]
    with subprocess.Popen(
        command, env=engine.builder().environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        return package(_chunks(process.stdout), {"all": Selection()}, folder)


def _chunks(stream) -> Iterator[bytes]:
    while data := stream.read(MEGABYTE):
        yield data


def megabytes(field: str) -> float:
    """A line of this process's status, in MB (proc(5))."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise KeyError(field)


def main() -> None:
    """Idle first: all is imported and the engine has answered once."""
    how, context, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir()
    engine = Engine(os.environ)
    engine.ping()
    engine.builder()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    idle = megabytes("VmRSS")
    began = perf_counter()
    made = {"archive": archive, "tar": tar}[how](engine, context, folder)["all"]
    seconds = perf_counter() - began
    above = megabytes("VmHWM") - idle
    print(json.dumps({"seconds": seconds, "size": made.size, "memory": above, "idle": idle}))


if __name__ == "__main__":
    main()
