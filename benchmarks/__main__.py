"""`python -m benchmarks [PART ...] [--quick] [--rounds N]`."""

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import answer, begin, memory, overhead, package, release, report, site
from benchmarks.measure import Options

PARTS = {
    "answer": answer,
    "begin": begin,
    "package": package,
    "overhead": overhead,
    "release": release,
    "site": site,
    "memory": memory,
}
CACHE = Path(__file__).parents[1] / ".slipway"
RESULTS = CACHE / "bench" / "results"


def main() -> None:
    """Measure what is asked for; keep the numbers; write the page from all that are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes; the page stays as it is")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    for name in asked.parts or PARTS:
        found = measure(name, quick=asked.quick, rounds=1 if asked.quick else asked.rounds)
        if asked.quick:
            print(json.dumps({name: found["rows"]}))
        else:
            RESULTS.mkdir(parents=True, exist_ok=True)
            (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1))
    if not asked.quick:
        kept = {path.stem: json.loads(path.read_text()) for path in RESULTS.glob("*.json")}
        report.write(kept)
        print(report.PAGE.read_text())


def measure(name: str, *, quick: bool, rounds: int) -> dict:
    """One part's numbers, with the time at which it was measured."""
    (CACHE / "bench").mkdir(parents=True, exist_ok=True)
    print(f"{name}:", flush=True)
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    with tempfile.TemporaryDirectory(dir=CACHE / "bench", prefix=f"{name}-") as folder:
        options = Options(quick=quick, rounds=rounds, folder=Path(folder), cache=CACHE)
        return {"at": at, **PARTS[name].run(options)}


if __name__ == "__main__":
    main()
