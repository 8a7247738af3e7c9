"""`python -m workers` is a worker, `python -m workers beat` the clock that rings for sweeps."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryFile

from redis.exceptions import RedisError

from config.logs import configure
from config.server import ConfigError, load
from config.settings import SettingsError
from config.settings import work_settings as settings
from workers.app import make
from workers.ledger.connection import LedgerError, refuse_lossy
from workers.upkeep import former_records
from workers.workshop import Workshop

WORKER = ("worker", "--without-gossip", "--without-mingle", "--without-heartbeat")
BEAT = ("beat", "--scheduler", "celery.beat:Scheduler")


def main(arguments: list[str]) -> None:
    """Start a process, unless something that it needs is wrong: then say all of it."""
    beat = arguments[:1] == ["beat"]
    try:
        load(settings().config)
        refuse_lossy(settings().redis_url)
        if not beat:
            _try_to_write(settings().data_dir)
            _take_over()
    except (SettingsError, ConfigError, LedgerError, RedisError) as error:
        raise SystemExit(f"slipway: the worker can't start:\n{error}") from None
    kind = BEAT if beat else WORKER
    make().start(["--quiet", *kind, "--loglevel=INFO", *arguments[1:]])


def _take_over() -> None:
    """Before the first run is worked on: what it finds on record must be complete."""
    if "deploy" not in settings().queues:
        return
    configure(secrets=settings().secrets())
    former_records.take_over(Workshop(settings(), load(settings().config)))


def _try_to_write(folder: Path) -> None:
    try:
        # Sources and logs of private repositories are nobody else's to read.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(0o700)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SettingsError(f"SLIPWAY_DATA_DIR: can't write to {folder} ({error})") from None


if __name__ == "__main__":
    main(sys.argv[1:])
