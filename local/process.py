"""A child process that is stopped together with all that it started."""

import functools
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from local.ports import listens

TICK = 0.02
TAIL = 20


class SetUpError(Exception):
    """The machine lacks something; the text says what, and what to install."""


class Process:
    """One command in its own process group, with its output in a file.

    The child gets `on_orphan` (KILL, TERM …) when its parent dies, where the machine has setpriv.
    Linux sends it when the *thread* that started the child ends: start children from a thread that
    outlives them.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        on_orphan: str = "KILL",
    ) -> None:
        self.command = [str(part) for part in command]
        self.log = log
        self.env = env
        self.cwd = cwd
        self.on_orphan = on_orphan
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = False

    @property
    def pid(self) -> int:
        """The process's id, also after its end."""
        if self._child is None:
            raise RuntimeError(f"{self.command[0]} was never started")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What it ended with; negative for a signal; None while it runs."""
        return None if self._child is None else self._child.poll()

    def start(self) -> Self:
        """Start it; the environment is this process's with `env` on top."""
        if self.running:
            raise RuntimeError(f"{self.command[0]} runs already")
        self._asked = False
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                [*_bound_to_parent(self.on_orphan), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.cwd,
                env={**os.environ, **(self.env or {})},
                start_new_session=True,
            )
        return self

    def terminate(self) -> None:
        """SIGTERM, once, without waiting; `stop` waits."""
        if self._child is not None and self._child.returncode is None and not self._asked:
            self._asked = True
            # Not reaped yet, so the number is still its own.
            os.kill(self.pid, signal.SIGTERM)

    def stop(self, grace: float = 10) -> None:
        """SIGTERM; after `grace` seconds SIGKILL; then SIGKILL to what is left of its group."""
        if self._child is None or self._child.returncode is not None:
            return
        self.terminate()
        with suppress(ChildProcessError):
            self._wait_unreaped(grace)
        self._end_group()

    def kill(self) -> None:
        """SIGKILL to it and its whole group."""
        if self._child is not None and self._child.returncode is None:
            self._end_group()

    def tail(self) -> str:
        """The last lines of its output."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL:])

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Wait until `ready`; a process that ends first is a SetUpError with its last words."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running or time.monotonic() > deadline:
                end = f"ended with {self.exit_code}" if not self.running else f"{seconds:g} s"
                raise SetUpError(f"{what}: not ready ({end}):\n{self.tail()}")
            time.sleep(TICK)

    def wait_for_end(self, seconds: float = 30) -> None:
        """Wait until it has ended by itself; one that has not by then is killed, a SetUpError."""
        deadline = time.monotonic() + seconds
        while self.running:
            if time.monotonic() > deadline:
                self.kill()
                raise SetUpError(f"{self.command[0]} took over {seconds:g} s:\n{self.tail()}")
            time.sleep(TICK)

    def _wait_unreaped(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while os.waitid(os.P_PID, self.pid, flags) is None and time.monotonic() < deadline:
            time.sleep(TICK)

    def _end_group(self) -> None:
        # The leader is not reaped yet, so its group's number cannot belong to anybody else.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        if self._child is not None:
            self._child.wait()

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def wait_for_port(process: Process, port: int, seconds: float = 30) -> None:
    """Wait until the process accepts connections on this port of 127.0.0.1."""
    process.wait_until(lambda: listens(port), f"port {port}", seconds)


def wait_for_http(process: Process, url: str, seconds: float = 30) -> None:
    """Wait until a GET of this URL is answered below 500."""
    process.wait_until(functools.partial(answers, url), url, seconds)


def answers(url: str, seconds: float = 2) -> bool:
    """Whether a GET of this URL is answered below 500; proxies are left out."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=seconds):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


@functools.cache
def _setpriv() -> str | None:
    return shutil.which("setpriv")


def _bound_to_parent(name: str) -> list[str]:
    setpriv = _setpriv()
    return [setpriv, "--pdeathsig", name, "--"] if setpriv else []
