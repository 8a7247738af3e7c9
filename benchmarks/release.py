"""From a finished package to live aliases: Slipway, the book's shell steps, boto3 with threads."""

import os
import re
import subprocess
import uuid
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter

from benchmarks import environments
from benchmarks.measure import Options, median, turns
from benchmarks.world import IMAGE, World, seconds, world

COUNTS = (1, 4, 20)
LIMITS = {1: 0.25, 4: 0.08, 20: 0.03}
"""What share of the shell's time a release of so many functions may take."""

MEGABYTES = 3.6
ALIAS, BUCKET = "sandbox", "deployment-packages-watchlist"
HERE = Path(__file__).parent / "competitors"
OURS, SHELL, BOTO3 = "Slipway", "aws, four calls a function", "boto3, threads"
OPERATOR = f"""
[environments.{ALIAS}]
branch = "develop"

[[repositories]]
name = "watchlist/*"
functions = ["Movies*"]
bucket = "{BUCKET}"
"""
_ONE = r"/2015-03-31/functions/[^/ ?]+"
QUOTA = {
    "UpdateFunctionCode": re.compile(rf"PUT {_ONE}/code "),
    "PublishVersion": re.compile(rf"POST {_ONE}/versions "),
    "ListVersionsByFunction": re.compile(rf"GET {_ONE}/versions"),
    "GetAlias": re.compile(rf"GET {_ONE}/aliases/"),
    "CreateAlias": re.compile(rf"POST {_ONE}/aliases "),
    "UpdateAlias": re.compile(rf"PUT {_ONE}/aliases/"),
    "GetPolicy": re.compile(rf"GET {_ONE}/policy"),
}
"""Lines of the stand-in's log; GetFunction has a quota of its own."""

DOCKERFILE = f"FROM {IMAGE}\nWORKDIR /app\nCOPY index.py films.bin ./\n"


@dataclass
class Bench:
    """One world for all competitors; each has functions of its own there."""

    world: World
    folder: Path
    films: bytes
    turn: int = 0

    def names(self, who: str, count: int) -> list[str]:
        """The functions of one competitor."""
        return [f"Movies{who}{count}x{number:02}" for number in range(count)]

    def prepare(self, count: int) -> None:
        """Functions in AWS, each as after a first deploy, and Slipway's repository."""
        self.world.repository(f"watchlist/movies-{count}")
        client = self.world.aws.client("lambda")
        for name in [n for who in ("Shell", "Boto") for n in self.names(who, count)]:
            self.world.aws.create_function(name)
            version = client.publish_version(FunctionName=name)["Version"]
            client.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
        for name in self.names("Ours", count):
            self.world.aws.create_function(name)

    def files(self) -> dict[str, str | bytes]:
        """New code."""
        self.turn += 1
        code = f"def lambda_handler(event, context):\n    return {self.turn}\n"
        return {"index.py": code, "films.bin": self.films}

    def ours(self, count: int) -> float:
        """A push; the seconds from the start of its stage publish to the end of release."""
        tables = "".join(
            f'[functions.{name}]\nruntime = "python3.11"\nhandler = "index.lambda_handler"\n'
            for name in self.names("Ours", count)
        )
        text = f'[build]\npath = "/app"\n{tables}'
        files = {**self.files(), "Dockerfile": DOCKERFILE, "slipway.toml": text}
        return seconds(self.world.deploy(f"watchlist/movies-{count}", files), "publish", "release")

    def shell(self, count: int) -> float:
        """The book's steps, one function after the other."""
        program = Path(environments.python("awscli")).with_name("aws")
        return self._timed(["sh", str(HERE / "release.sh"), str(program)], "Shell", count)

    def boto3(self, count: int) -> float:
        """The same calls by boto3 in a fresh process, all functions at once."""
        command = [environments.python("awscli"), str(HERE / "release_boto3.py")]
        return self._timed(command, "Boto", count)

    def _timed(self, command: list[str], who: str, count: int) -> float:
        package = self.folder / "package.zip"
        with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.files().items():
                archive.writestr(name, data)
        commit = (uuid.uuid4().hex * 2)[:40]
        arguments = [str(package), BUCKET, commit, ALIAS, *self.names(who, count)]
        began = perf_counter()
        subprocess.run(
            [*command, *arguments],
            check=True,
            env={**os.environ, **self.world.aws_environment},
            stdout=subprocess.DEVNULL,
        )
        took = perf_counter() - began
        self.check(who, count, commit)
        return took

    def calls(self, count: int) -> dict[str, int]:
        """The calls of one more release that count for Lambda's quota, by their names."""
        log = self.folder / "moto.log"
        before = log.stat().st_size
        self.ours(count)
        lines = log.read_text()[before:].splitlines()
        found = Counter(name for line in lines for name, call in QUOTA.items() if call.search(line))
        return dict(found)

    def check(self, who: str, count: int, commit: str) -> None:
        """See that every alias runs a version that bears the commit."""
        for name in self.names(who, count):
            alias = self.world.aws.alias(name, ALIAS)
            found = {v["Version"]: v["Description"] for v in self.world.aws.versions(name)}
            if alias is None or found[alias["FunctionVersion"]] != commit:
                raise SystemExit(f"{name} was not released: {alias}")


def run(options: Options) -> dict:
    """Take turns; the first push of each repository is not counted, for it fills the caches."""
    counts = COUNTS[:1] if options.quick else COUNTS
    films = Random(36).randbytes(int(MEGABYTES * 1e6))
    with world(options, OPERATOR) as parts:
        parts.aws.create_bucket(BUCKET)
        bench = Bench(parts, options.folder, films)
        ways = {SHELL: bench.shell, BOTO3: bench.boto3, OURS: bench.ours}
        for count in counts:
            bench.prepare(count)
            bench.ours(count)
        cells = [(name, count) for count in counts for name in ways]
        found = turns(cells, lambda cell: ways[cell[0]](cell[1]), options.rounds)
        calls = bench.calls(max(counts))
    rows = [
        {"name": name, "functions": count, "seconds": median(times), "all": times}
        for (name, count), times in found.items()
    ]
    return {
        "megabytes": MEGABYTES,
        "calls": calls,
        "versions": environments.versions("awscli"),
        "rows": rows,
    }
