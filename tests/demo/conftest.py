"""Demos as their users start them, and what they leave behind."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "watchlist" / "movies-loader"
MARK = "STARTED_BY_TEST"
TICK = 0.05


class Started:
    """A program with all that it starts; its output goes to a file."""

    def __init__(self, arguments: list[str], log: Path, environment: Mapping[str, str]) -> None:
        self.mark = uuid.uuid4().hex
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env={**environment, MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self.log.read_text()

    def said(self, words: str, seconds: float = 120) -> None:
        """Wait until it has said something."""
        deadline = time.monotonic() + seconds
        while words not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(TICK)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def left(self, seconds: float = 5) -> list[str]:
        """The command lines of what it started and still runs a moment after its end."""
        deadline = time.monotonic() + seconds
        while (found := self._living()) and time.monotonic() < deadline:
            time.sleep(TICK)
        return found

    def _living(self) -> list[str]:
        wanted, found = f"{MARK}={self.mark}".encode(), []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def clear(self) -> None:
        """End it if a test did not."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator:
    """Start `python -m …` with some variables changed; None takes one away."""
    started: list[Started] = []

    def begin(*arguments: str, **variables: str | None) -> Started:
        environment = {**os.environ, **variables}
        kept = {name: value for name, value in environment.items() if value is not None}
        started.append(Started(list(arguments), tmp_path / f"{len(started)}.log", kept))
        return started[-1]

    yield begin
    for one in started:
        one.clear()
