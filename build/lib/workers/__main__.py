"""`python -m workers` is a worker, `python -m workers beat` the clock that rings for sweeps."""

import sys

from config.server import ConfigError, load
from config.settings import SettingsError, settings
from workers.app import make
from workers.ledger.connection import LedgerError, refuse_lossy

WORKER = ("worker", "--without-gossip", "--without-mingle", "--without-heartbeat")
BEAT = ("beat", "--scheduler", "celery.beat:Scheduler")


def main(arguments: list[str]) -> None:
    """Start a process, unless something that it needs is wrong: then say all of it."""
    try:
        load(settings().config)
        refuse_lossy(settings().redis_url)
    except (SettingsError, ConfigError, LedgerError) as error:
        raise SystemExit(f"slipway: the worker can't start:\n{error}") from None
    kind = BEAT if arguments[:1] == ["beat"] else WORKER
    make().start(["--quiet", *kind, "--loglevel=INFO", *arguments[1:]])


if __name__ == "__main__":
    main(sys.argv[1:])
