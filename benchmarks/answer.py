"""How many signed pushes a second are answered, and how fast, by Slipway and by others."""

import contextlib
import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from benchmarks import competitors
from benchmarks.measure import Options, cpu_seconds, median, percentile, turns
from local.process import Process

CONNECTIONS = (1, 16, 64)
UNSYNCED = "Slipway, not synced"
MOST_REFUSED = 0.02  # Slipway answers 503 when the disk under Redis stalls for 0.6 s


@dataclass(frozen=True)
class Door:
    """A server that takes deliveries, and the processes that do it."""

    port: int
    path: str
    processes: tuple[int, ...]


Opener = Callable[[Path], contextlib.AbstractContextManager[Door]]


@contextlib.contextmanager
def slipway(folder: Path, *, synced: bool = True) -> Iterator[Door]:
    """The web process as the Procfile starts it: two gunicorn workers, a durable Redis."""
    with competitors.slipway(folder) as (processes, redis):
        processes.start("web")
        pids = (processes.processes["web"].pid, redis.pid)
        door = Door(processes.port, "/webhooks/github", pids)
        if not synced:
            # Not before both processes are at work: each sees to it that every write is synced.
            load(door, 4, 200, 1, repeat=False)
            Redis.from_url(redis.url).config_set("appendfsync", "no")
        yield door


def tutorial(worker_class: str) -> Opener:
    """The tutorial's receiver under one of gunicorn's worker classes."""

    @contextlib.contextmanager
    def opened(folder: Path) -> Iterator[Door]:
        with competitors.receiver(folder, worker_class) as (web, port, redis):
            yield Door(port, "/webhook", (web.pid, redis.pid))

    return opened


@contextlib.contextmanager
def buildbot(folder: Path) -> Iterator[Door]:
    """Buildbot's master with its GitHub hook, secret and strict."""
    with competitors.buildbot(folder) as (master, port):
        yield Door(port, "/change_hook/github", (master.pid,))


@contextlib.contextmanager
def nothing(folder: Path) -> Iterator[Door]:
    """A server that answers without reading: what the load generator itself can do."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.nothing"]
    with Process(command, folder / "nothing.log") as server:
        server.wait_until(lambda: (folder / "nothing.log").read_text().strip() != "", "nothing")
        yield Door(int((folder / "nothing.log").read_text()), "/", (server.pid,))


RIVALS: dict[str, Opener] = {
    "Slipway": slipway,
    "tutorial (sync)": tutorial("sync"),
    "tutorial (gthread)": tutorial("gthread"),
    "Buildbot": buildbot,
    "nothing": nothing,
    UNSYNCED: functools.partial(slipway, synced=False),
}


def load(door: Door, connections: int, requests: int, seconds: float, *, repeat: bool) -> dict:
    """One measurement by the load generator's own process."""
    command = [sys.executable, "-m", "benchmarks.load", f"--port={door.port}"]
    command += [f"--path={door.path}", f"--connections={connections}"]
    command += [f"--requests={requests}", f"--seconds={seconds}", *(["--repeat"] * repeat)]
    before = [cpu_seconds(pid) for pid in door.processes]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    used = sum(cpu_seconds(pid) - was for pid, was in zip(door.processes, before, strict=True))
    found = json.loads(done.stdout)
    count = len(found["times"])
    refused = sum(n for code, n in found["statuses"].items() if not code.startswith("2"))
    if refused > count * MOST_REFUSED:
        raise SystemExit(f"{door.path}: pushes were refused: {found['statuses']}")
    return {
        "rate": found["rate"] * (1 - refused / count),
        "refused": refused,
        "p50": percentile(found["times"], 50) * 1000,
        "p99": percentile(found["times"], 99) * 1000,
        "cpu": used / count * 1000,
        "generator": found["cpu"] / count * 1000,
    }


def cells(*, quick: bool) -> list[tuple[str, int, bool]]:
    """Every (rival, connections, repeat) that is measured in one round."""
    fresh = [(name, n, False) for n in CONNECTIONS for name in RIVALS]
    # What is left of one answer without the disk.
    fresh = [(name, n, again) for name, n, again in fresh if name != UNSYNCED or n == 1]
    again = [(name, n, True) for n in CONNECTIONS for name in ("Slipway",)]
    return [cell for cell in fresh + again if not (quick and cell[0] == "Buildbot")]


def run(options: Options) -> dict:
    """Take turns; medians of rates and times."""
    seconds = 0.5 if options.quick else 3
    wanted = cells(quick=options.quick)
    with contextlib.ExitStack() as stack:
        doors = {
            name: stack.enter_context(RIVALS[name](options.folder / name.replace(" ", "-")))
            for name in dict.fromkeys(name for name, _, _ in wanted)
        }

        def measure(cell: tuple[str, int, bool]) -> dict:
            name, connections, repeat = cell
            most = int(seconds * (15000 if name == "nothing" else 4000))
            return load(doors[name], connections, most, seconds, repeat=repeat)

        for cell in wanted[: len(doors)]:
            load(doors[cell[0]], 4, 200, seconds, repeat=False)  # warm
        found = turns(wanted, measure, options.rounds)
    rows = [_row(cell, results) for cell, results in found.items()]
    return {"rounds": options.rounds, "seconds": seconds, "rows": rows}


def _row(cell: tuple[str, int, bool], results: list[dict]) -> dict:
    name, connections, repeat = cell
    medians = {key: median([result[key] for result in results]) for key in results[0]}
    return {"name": name, "connections": connections, "repeat": repeat, **medians}
