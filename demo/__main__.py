"""`python -m demo [watchlist]`: a push becomes a live alias, on embedded parts; for `make demo`."""

import argparse
import sys
from pathlib import Path

from demo import surroundings
from demo.surroundings import ROOT, Stopped

EXAMPLE = ROOT / "examples" / "watchlist" / "movies-loader"


def main() -> int:
    """Run the demo; returns its exit code: 0, 1 for a failure, 128 and more for a signal."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=["one", "watchlist"],
        default="one",
        help="one push (the default), or the whole application through three environments",
    )
    parser.add_argument(
        "--example", type=Path, default=EXAMPLE, help="the directory to push (%(default)s)"
    )
    chosen = parser.parse_args()
    surroundings.listen()
    surroundings.isolate()
    # Only now, because these take a second in which Ctrl-C is to be understood.
    from demo import play, watchlist

    perform = (
        watchlist.perform if chosen.what == "watchlist" else play.one(chosen.example.resolve())
    )
    return play.play(perform)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stopped as order:
        sys.exit(128 + order.args[0])
