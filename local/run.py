"""`python -m local.run`: the Procfile's processes, by honcho; `make run` calls it.

Variables come from the environment, and those that it has not from a file `.env`. Without
REDIS_URL a Redis of its own is started, which keeps its append-only file in SLIPWAY_DATA_DIR.
"""

import fcntl
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog
from honcho.environ import parse, parse_procfile  # type: ignore[import-untyped]
from honcho.manager import Manager  # type: ignore[import-untyped]
from honcho.printer import Message, Printer  # type: ignore[import-untyped]

from config import server
from config.settings import Settings, SettingsError, load
from local.process import SetUpError
from local.redis import EmbeddedRedis
from local.shares import share

ROOT = Path(__file__).parents[1]
ENV_FILE = ROOT / ".env"
WRONG = 2


class ReadablePrinter(Printer):  # type: ignore[misc]  # honcho has no types
    """Honcho's, with Slipway's JSON lines as words on a terminal."""

    def __init__(self) -> None:
        super().__init__(sys.stdout, colour="NO_COLOR" not in os.environ)
        self._render = structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty() and self.colour, pad_event_to=0
        )

    def write(self, message: Message) -> None:
        """Write what a process said."""
        if sys.stdout.isatty():
            message = message._replace(data=self._words(message.data))
        super().write(message)

    def _words(self, data: str | bytes) -> str:
        text = data.decode(errors="replace") if isinstance(data, bytes) else data
        try:
            event = json.loads(text)
        except ValueError:
            return text
        if not isinstance(event, dict) or "event" not in event:
            return text
        event.pop("time", None)
        return str(self._render(None, "", event))


def main() -> int:
    """Run everything until a signal comes or one of the processes ends; returns the exit code."""
    if ENV_FILE.exists():
        os.environ.update(parse(ENV_FILE.read_text()) | dict(os.environ))
    try:
        chosen = load()
        server.load(chosen.config)
        with ExitStack() as stack:
            url = os.environ.get("REDIS_URL") or stack.enter_context(_redis(chosen)).url
            print(f"Slipway: {chosen.url} (port {chosen.port})", flush=True)
            return _serve(url, chosen.port)
    except (SettingsError, server.ConfigError, SetUpError) as error:
        print(f"Slipway can't start:\n{error}", file=sys.stderr)
        return WRONG


@contextmanager
def _redis(chosen: Settings) -> Iterator[EmbeddedRedis]:
    folder = (chosen.data_dir / "redis").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SetUpError(
                f"The Redis in {folder} is in use: end the other `make run`, or set REDIS_URL or "
                "another SLIPWAY_DATA_DIR."
            ) from None
        print(f"REDIS_URL is not set: a Redis of our own keeps the runs in {folder}", flush=True)
        # Other programs of this machine reach its loopback, and whoever writes there commands us.
        with EmbeddedRedis(folder, password=secrets.token_hex(20)) as redis:
            yield redis


def _serve(redis_url: str, port: int) -> int:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {
        **os.environ,
        "PATH": programs,
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "REDIS_URL": redis_url,
    }
    manager = Manager(ReadablePrinter())
    for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
        manager.add_process(name, command, env=share(name, environment))
    manager.loop()
    return int(manager.returncode or 0)


if __name__ == "__main__":
    sys.exit(main())
