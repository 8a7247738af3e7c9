"""Writes docs/benchmarks.md from the measurements."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

from benchmarks import environments, report_deploys
from benchmarks.tables import table, verdict
from local.packages import run as run_program
from local.redis import redis_server

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
INTRODUCTION = """\
# Benchmarks

Made by `make bench`, which runs `python -m benchmarks`; one part alone: `python -m benchmarks
answer`. Each competitor lives in an environment of its own, made once from `benchmarks/
requirements-*.lock`. All of them run at the same time and take turns, round by round (A B C, A B C,
…), so that whatever slows the machine slows all. Numbers are medians over the rounds. The raw ones
are in `.slipway/bench/results`.

{machine}
"""
ANSWER = """
## answer

How many signed pushes a second are taken, and how long one waits. Each delivery is 8,192 bytes of
GitHub's JSON with an id and a commit of its own, so that nothing is deduplicated; "repeated" is the
same delivery again and again. {rounds} rounds of {seconds:g} s each. The load comes from a process
of its own on the same machine, signed beforehand, over raw sockets; it keeps connections for as
long as the server does (gunicorn's `sync` workers close each one).

- *Slipway*: `gunicorn` as the Procfile starts it, two workers; each delivery is deduplicated and
  written to Redis with `appendfsync always` before it is answered; log lines go to a file.
- *tutorial*: a Flask view that checks the signature and calls one Celery `delay`, two workers, no
  access log, no deduplication, Redis without an append-only file.
- *Buildbot*: the GitHub hook of its master, secret and strict, SQLite; it answers when the change
  is in its database. No builder is interested, so nothing is built.
- *nothing*: a loop that answers without looking, which is the load generator's own limit.
- *Slipway, not synced*: the same with `appendfsync no`, which Slipway refuses to start on; what it
  lacks of the first row's time is what the disk takes for one sync. With more connections many
  deliveries share one.

`CPU` is the processor time per answer of all of the server's processes, Redis included: less at the
mercy of what else the machine does than rates are. `refused` counts answers other than 2xx: Slipway
says 503 when Redis can't sync within 0.6 s.

{table}

{verdicts}
"""
BEGIN = """
## begin

From the first byte of the push until the first command of the first stage runs, on one clock, one
push at a time, {pushes} of each.

- *Slipway*: web process and worker; the first command is git making the mirror of a repository that
  it has not seen before (the kernel tells when git makes its folder).
- *bare Celery*: the tutorial's receiver and a worker; the task's body.
- *Buildbot*: hook, scheduler without a stable timer, a worker in the master's process; the shell
  command of the build's first step.

{table}

{verdicts}
"""
PACKAGE = """
## package

From an image build whose layers are all cached to a zip: {files:,} files, {megabytes} MB, like a
`node_modules` folder. The time includes the build command. Slipway's zip was compared with that of
`zip -r` file by file (checksums) before. Memory is the packaging process's peak above what it has
when idle (`VmHWM` against `VmRSS`), the command line client that builds not included.

{table}

{verdicts}
"""
OVERHEAD = """
## overhead

One function, one check, everything cached: from the push being sent to the answer of the call that
moves the alias ({pushes} pushes), minus the same two image builds by the command line client alone,
the same check's container alone, and the time that AWS (the stand-in) itself took to answer the
{calls} calls, seen by a proxy in front of it. What remains is Slipway's: receiving, queueing, git,
packaging, book-keeping, boto3's own work, the cleaning up between the stages; and the proxy's.

{table}

{verdicts}
"""


def machine() -> str:
    """The line about the machine and what runs on it."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpuinfo)
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    redis = re.search(r"v=(\S+)", run_program([str(redis_server()), "--version"]).stdout)
    parts = [
        f"{os.cpu_count()} cores of {model[1] if model else platform.machine()}",
        f"{int(memory[1]) / 1e6:.0f} GB" if memory else "",
        f"Linux {platform.release()}",
        f"Python {platform.python_version()}",
        f"Redis {redis[1] if redis else '?'}",
        *(f"{name} {version(name)}" for name in ("gunicorn", "Flask", "Celery", "redis")),
        *(f"{n} {environments.versions('buildbot')[n]}" for n in ("buildbot", "Twisted")),
    ]
    return ", ".join(part for part in parts if part)


def answer(found: dict) -> str:
    """The part about answers."""
    rows = found["rows"]
    fresh = {(row["name"], row["connections"]): row for row in rows if not row["repeat"]}
    lines = [
        [
            row["name"] + (", repeated" if row["repeat"] else ""),
            str(row["connections"]),
            f"{row['rate']:,.0f}",
            f"{row['p50']:.1f}",
            f"{row['p99']:.1f}",
            f"{row['cpu']:.2f}",
            f"{row['refused']:g}",
        ]
        for row in rows
    ]
    head = ["", "connections", "answers/s", "p50 ms", "p99 ms", "CPU ms", "refused"]
    verdicts = []
    for rival, limit in (("tutorial (sync)", 2), ("Buildbot", 20)):
        for (name, count), row in fresh.items():
            if name == "Slipway" and (rival, count) in fresh:
                ratio = row["rate"] / fresh[rival, count]["rate"]
                what = f"times the answers of {rival} at {count}"
                verdicts.append(verdict(what, ratio, limit, "", at_least=True))
    if ("Slipway", 16) in fresh:
        late = fresh["Slipway", 16]["p99"]
        verdicts.append(verdict("p99 at 16", late, 30, " ms", at_least=False))
    return ANSWER.format(**found, table=table(head, lines), verdicts="\n".join(verdicts))


def begin(found: dict) -> str:
    """The part about beginnings."""
    rows = {row["name"]: row for row in found["rows"]}
    lines = [
        [name, *(f"{row[key]:,.1f}" for key in ("median", "p90", "least"))]
        for name, row in rows.items()
    ]
    share = rows["Slipway"]["median"] / rows["Buildbot"]["median"]
    return BEGIN.format(
        pushes=rows["Slipway"]["pushes"],
        table=table(["", "median ms", "p90 ms", "least ms"], lines),
        verdicts=verdict("share of Buildbot's time", share, 0.05, "", at_least=False),
    )


def package(found: dict) -> str:
    """The part about packages."""
    rows = {row["name"]: row for row in found["rows"]}
    first, ours = rows["docker cp, zip -r"], rows["Slipway"]
    lines = [
        [
            name,
            f"{row['seconds']:.2f}",
            f"{row['seconds'] / first['seconds']:.2f}",
            f"{row['size'] / 1e6:.1f}",
            f"{row['memory']:.0f}" if row["memory"] else "",
        ]
        for name, row in rows.items()
    ]
    share = ours["seconds"] / first["seconds"]
    size = ours["size"] / first["size"]
    verdicts = [
        verdict("share of the first's time", share, 0.3, "", at_least=False),
        verdict("share of the first's size", size, 1, "", at_least=False),
        verdict("memory above idle", ours["memory"], 150, " MB", at_least=False),
    ]
    head = ["", "seconds", "of the first", "MB", "memory MB"]
    numbers = {"table": table(head, lines), "verdicts": "\n".join(verdicts)}
    versions = ", ".join(found["versions"].values())
    return PACKAGE.format(**found, **numbers) + f"\n{versions}\n"


def overhead(found: dict) -> str:
    """The part about what Slipway adds."""
    rows = {row["name"]: row["median"] for row in found["rows"]}
    names = {
        "total": "push to alias",
        "builds": "two image builds alone",
        "check": "the check's container alone",
        "aws": "AWS alone",
        "overhead": "Slipway's own",
    }
    lines = [[text, f"{rows[name]:,.0f}"] for name, text in names.items()]
    return OVERHEAD.format(
        pushes=len(found["pushes"]),
        calls=len(found["pushes"][-1]["calls"]),
        table=table(["", "median ms"], lines),
        verdicts=verdict("Slipway's own", rows["overhead"], 500, " ms", at_least=False),
    )


def write(results: dict[str, dict]) -> None:
    """The page from whatever parts were ever measured here."""
    writers = {
        "answer": answer,
        "begin": begin,
        "package": package,
        "overhead": overhead,
        **report_deploys.WRITERS,
    }
    text = INTRODUCTION.format(machine=machine())
    for name, writer in writers.items():
        if name in results:
            text += writer(results[name]) + f"\nMeasured {results[name]['at']}.\n"
    PAGE.write_text(text)
