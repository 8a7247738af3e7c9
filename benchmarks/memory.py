"""The worker's memory while it handles a build output of 200 MB and a check's log of 100 MB."""

import gzip
import io
import re
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from benchmarks.measure import Options
from benchmarks.world import IMAGE, World, seconds, world

OUTPUT, LOG = 200, 100
LIMIT = 200
"""Megabytes that the process which does the run may have, each of the worker's processes alike."""

FILES = 4000
LINE = 100
TICK = 0.05
PATIENCE = 15
SAID = b"[test/talk] "
REPOSITORY, FUNCTION = "watchlist/movies-loader", "MoviesLoader"
BUCKET = "deployment-packages-watchlist"
OPERATOR = f"""
[environments.sandbox]
branch = "develop"

[[repositories]]
name = "{REPOSITORY}"
functions = ["{FUNCTION}"]
bucket = "{BUCKET}"
"""
GENERATE = Path(__file__).with_name("generate.py")
DOCKERFILE = f"""\
FROM {IMAGE} AS build
COPY generate.py /
RUN python /generate.py /app {{files}} {{megabytes}}

FROM scratch
COPY --from=build /app /app
"""
TALK = (
    "import sys\nfor n in range({lines}):\n    sys.stdout.write('%09d ' % n + 'x' * 89 + '\\n')\n"
)
PIPELINE = f"""
[test.checks]
talk = "python talk.py"

[build]
path = "/app"

[functions.{FUNCTION}]
runtime = "python3.11"
"""


class Watch:
    """Looks at the processes of the worker again and again; use it with `with`.

    `most` is the largest peak that any of them ever had, `together` the most that all had at one
    moment, shared pages counted once; in megabytes, Docker's command line client left out.
    """

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.most = self.together = 0.0

    def _look(self) -> None:
        while not self._over.wait(TICK):
            found = [one for pid in self._processes() if (one := _memory(pid))]
            self.together = max(self.together, sum(shared for _, shared in found))
            self.most = max([self.most, *(peak for peak, _ in found)])

    def _processes(self) -> list[Path]:
        """Those of the worker's session that are Python."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                name, _, rest = (folder / "stat").read_text().rpartition(")")
                if int(rest.split()[3]) == self._leader and "python" in name:
                    found.append(folder)
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def _memory(folder: Path) -> tuple[float, float] | None:
    """A process's peak, and what it has now with shared pages divided; megabytes."""
    with suppress(OSError, TypeError):
        peak = re.search(r"VmHWM:\s+(\d+)", (folder / "status").read_text())
        now = re.search(r"Pss:\s+(\d+)", (folder / "smaps_rollup").read_text())
        return int(peak[1]) * 1024 / 1e6, int(now[1]) * 1024 / 1e6  # type: ignore[index]
    return None


def deploy(parts: World, output: int, log: int) -> dict:
    """A push with so many megabytes of build output and of log; its run."""
    dockerfile = DOCKERFILE.format(files=FILES, megabytes=output)
    files: dict[str, str | bytes] = {
        "Dockerfile": dockerfile,
        "Dockerfile.test": f"FROM {IMAGE}\nWORKDIR /app\nCOPY talk.py ./\n",
        "generate.py": GENERATE.read_bytes(),
        "talk.py": TALK.format(lines=log * 1_000_000 // LINE),
        "slipway.toml": PIPELINE,
    }
    return parts.deploy(REPOSITORY, files)


def kept(parts: World, run_id: str, lines: int) -> float:
    """Megabytes of the check's lines in S3: each of them, once and in order.

    Raises:
        SystemExit: one is missing.
    """
    prefix = f"slipway/logs/{run_id}"
    until = time.monotonic() + PATIENCE
    while f"{prefix}.txt" not in parts.aws.objects(BUCKET):
        if time.monotonic() > until:
            raise SystemExit("the log is not archived")
        time.sleep(0.1)
    keys = sorted(key for key in parts.aws.objects(BUCKET) if key.startswith(f"{prefix}/"))
    packed = b"".join(parts.aws.read(BUCKET, key) for key in keys)
    with gzip.open(io.BytesIO(packed)) as whole:
        found = [
            line for line in whole if line.startswith(SAID) and line[len(SAID) :][:1].isdigit()
        ]
    wanted = (SAID + b"%09d " % number + b"x" * 89 + b"\n" for number in range(lines))
    if found != list(wanted):
        raise SystemExit(f"{len(found)} lines of {lines} are in S3, or not in order")
    return sum(len(line) - len(SAID) for line in found) / 1e6


def run(options: Options) -> dict:
    """One push of each size; ends the benchmark if the worker ever had more than it may have.

    Raises:
        SystemExit: it had, or the log is not whole in S3.
    """
    output, log = (20, 10) if options.quick else (OUTPUT, LOG)
    rows = []
    with world(options, OPERATOR) as parts:
        parts.repository(REPOSITORY)
        parts.aws.create_bucket(BUCKET)
        parts.aws.create_function(FUNCTION)
        for name, sizes in (("small", (1, 0)), ("large", (output, log))):
            with Watch(parts.app.processes["worker"].pid) as watch:
                ended = deploy(parts, *sizes)
            took = {
                stage["name"]: seconds(ended, stage["name"], stage["name"])
                for stage in ended["stages"]
            }
            rows.append(
                {
                    "name": name,
                    "output": sizes[0],
                    "log": sizes[1],
                    "stages": took,
                    "kept": kept(parts, ended["id"], sizes[1] * 1_000_000 // LINE)
                    if sizes[1]
                    else 0,
                    "most": watch.most,
                    "together": watch.together,
                }
            )
    if rows[-1]["most"] > LIMIT:
        raise SystemExit(f"a process of the worker had {rows[-1]['most']:.0f} MB, limit {LIMIT} MB")
    return {"files": FILES, "rows": rows}
