"""A site of 1,520 files to S3, 40 ms an answer: Slipway, and `aws s3 sync`."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from time import perf_counter

from benchmarks import environments
from benchmarks.measure import Options, median, turns
from benchmarks.store import Store
from benchmarks.world import World, seconds, world, write

FILES, MEGABYTES = 1520, 53
PAGES = 20
"""One file in so many is a page."""

DELAY = 0.04
REPOSITORY = "watchlist/marketplace"
ENVIRONMENT = "sandbox"
OURS, SYNC = "Slipway", "aws s3 sync"
FIRST, AGAIN = "everything", "nothing changed"
DOCKERFILE = "FROM scratch\nCOPY dist /app/dist\n"
PIPELINE = '[build]\npath = "/app"\n\n[site]\nbucket = "{}"\npath = "/app/dist"\n'


def site(files: int, megabytes: float) -> dict[str, bytes]:
    """Pages, assets whose names have a hash, and files with plain names; the same each time."""
    luck = Random(1520)
    weights = [luck.lognormvariate(0, 1.6) for _ in range(files)]
    unit = megabytes * 1e6 / sum(weights)
    found = {}
    for number, weight in enumerate(weights):
        data = luck.randbytes(int(weight * unit))
        # What counts as a hash has a digit before a letter.
        mark = f"{number}.{sha256(data).hexdigest()[:8]}0a"
        kinds = (f"films/{number}.json", f"assets/chunk-{mark}.js", f"assets/poster-{mark}.webp")
        page = f"films/{number}/index.html"
        found[kinds[number % 3] if number % PAGES else page] = data
    return found


@dataclass
class Bench:
    """A bucket for each competitor and round, empty at first."""

    world: World
    store: Store
    files: dict[str, bytes]
    folder: Path
    turn: dict[tuple[str, str], int]

    def bucket(self, who: str, what: str) -> str:
        """The bucket of this turn: the same again for the second way."""
        turn = self.turn[who, what] = self.turn.get((who, what), -1) + 1
        return f"{who}-{turn}.example.com"

    def ours(self, what: str) -> float:
        """A push; the seconds from the start of its stage publish to the end of release."""
        bucket = self.bucket("ours", what)
        files = {
            **{f"dist/{name}": data for name, data in self.files.items()},
            "Dockerfile": DOCKERFILE,
            "README.md": what,
            "slipway.toml": PIPELINE.format(bucket),
        }
        self.store.calls.clear()
        took = seconds(self.world.deploy(REPOSITORY, files), "publish", "release")
        self.check(bucket)
        if what == FIRST:
            self.in_order(bucket)
        return took

    def sync(self, what: str) -> float:
        """`aws s3 sync` of the same files."""
        program = Path(environments.python("awscli")).with_name("aws")
        target = f"s3://{self.bucket('sync', what)}/{ENVIRONMENT}/"
        began = perf_counter()
        subprocess.run(
            [program, "s3", "sync", "--only-show-errors", self.folder, target],
            check=True,
            env={**os.environ, **self.world.aws_environment},
        )
        return perf_counter() - began

    def check(self, bucket: str) -> None:
        """See that every file is there, with the right headers on one of each kind."""
        prefix = f"{ENVIRONMENT}/"
        found = {k: one for k, one in self.store.objects[bucket].items() if k.startswith(prefix)}
        if {key: one.body for key, one in found.items()} != {
            prefix + name: data for name, data in self.files.items()
        }:
            raise SystemExit(f"{bucket} does not hold the site")
        for key, one in found.items():
            kept = key.startswith(f"{prefix}assets/")
            expected = "public, max-age=31536000, immutable" if kept else "no-cache"
            if (told := one.headers.get("cache-control")) != expected:
                raise SystemExit(f"{key} is served with {told}")

    def in_order(self, bucket: str) -> None:
        """See that no page went to its place before all assets were at theirs."""
        place = f"/{bucket}/{ENVIRONMENT}/"
        puts = [c for c in self.store.calls if c.method == "PUT" and c.path.startswith(place)]
        pages = [call.began for call in puts if ".html" in call.path]
        others = [call.ended for call in puts if ".html" not in call.path]
        if not pages or len(puts) < len(self.files) or max(others) > min(pages):
            raise SystemExit(f"{bucket}: a page was live before what it needs")


def run(options: Options) -> dict:
    """Take turns: everything, then again without a change."""
    files, megabytes = (152, 5.3) if options.quick else (FILES, MEGABYTES)
    found = site(files, megabytes)
    write(options.folder / "dist", dict(found))
    names = [f"ours-{turn}.example.com" for turn in range(options.rounds + 1)]
    operator = (
        f'[environments.{ENVIRONMENT}]\nbranch = "develop"\n'
        f'[[repositories]]\nname = "{REPOSITORY}"\nsites = {names}\n'.replace("'", '"')
    )
    with Store(DELAY) as store, world(options, operator, store.url) as parts:
        parts.repository(REPOSITORY)
        bench = Bench(parts, store, found, options.folder / "dist", {})
        ways: dict[str, Callable[[str], float]] = {SYNC: bench.sync, OURS: bench.ours}
        for what in (FIRST, AGAIN):  # fills the caches, and a session's clients are made
            bench.ours(what)
        cells = [(name, what) for what in (FIRST, AGAIN) for name in ways]
        times = turns(cells, lambda cell: ways[cell[0]](cell[1]), options.rounds)
    rows = [
        {"name": name, "what": what, "seconds": median(all_), "all": all_}
        for (name, what), all_ in times.items()
    ]
    return {
        "files": files,
        "megabytes": megabytes,
        "pages": PAGES,
        "delay": DELAY,
        "versions": environments.versions("awscli"),
        "rows": rows,
    }
