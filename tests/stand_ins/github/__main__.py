"""`python -m tests.stand_ins.github`: the stand-in as a process, until SIGTERM or Ctrl-C.

Its first and only line of output is its URL, printed when it answers.
"""

import argparse
import signal
import threading
from pathlib import Path

from tests.stand_ins.github.model import TOKEN
from tests.stand_ins.github.server import GitHub


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.stand_ins.github", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--root", type=Path, required=True, help="where the repositories are")
    parser.add_argument("--token", default=TOKEN, help="the token that it expects")
    chosen = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with GitHub(chosen.root, chosen.port, chosen.token) as github:
        print(github.url, flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
