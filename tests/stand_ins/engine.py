"""A Docker engine with BuildKit: the machine's own, or a private one that ends with its users."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import docker

from local.packages import Say, can_install, install, locked, run
from local.process import SetUpError
from tests.stand_ins import engine_keeper
from tests.stand_ins.engine_probe import answers, find_client

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
RUN_DIR = Path("/run")
START_SECONDS = 60
STOP_SECONDS = 30
HELP = """\
No Docker engine with BuildKit answers here. Do one of these:
  - start Docker, or set DOCKER_HOST to an engine that answers;
  - Debian or Ubuntu: run this as root, which installs docker.io and starts a private engine;
  - elsewhere: install Docker Engine with its buildx plugin."""


class Engine:
    """An engine while somebody uses it; `host` is what DOCKER_HOST should be.

    One that already answers is used and left alone. A private one is shared by all who name the
    same cache, ends when the last of them has gone, however that happened, and leaves its images
    under `cache` for the next time.
    """

    def __init__(self, cache: Path, say: Say = print, *, bridge: str = "none") -> None:
        """`bridge` is a bridge of this machine; only a private engine has it as its own."""
        self.cache = cache.absolute()
        self.say = say
        self.bridge = bridge
        self.host = ""
        self.client = Path()
        self.private = False
        self._users: IO[str] | None = None
        name = hashlib.sha256(str(self.cache).encode()).hexdigest()[:10]
        # Not below the cache: a socket's path has at most 107 bytes (unix(7)).
        self.run_dir = RUN_DIR / f"slipway-{name}"

    def start(self) -> Self:
        """Find an engine or start one.

        Raises:
            SetUpError: saying what to install.
        """
        if self.bridge != "none" or not self._find():
            if not can_install():
                raise SetUpError(HELP)
            self._install()
        if self.bridge != "none" or not self.host:
            self._share_private()
        return self

    def stop(self) -> None:
        """Leave the engine; a private one ends with its last user."""
        if self._users is None:
            return
        users, self._users = self._users, None
        fcntl.flock(users, fcntl.LOCK_UN)
        if _try_lock(users, fcntl.LOCK_EX):
            self._stop_private()
            shutil.rmtree(self.run_dir, ignore_errors=True)
        elif not _try_lock(users, fcntl.LOCK_SH):
            # Its keeper was faster and is stopping it: it holds the lock until that is done.
            fcntl.flock(users, fcntl.LOCK_SH)
        users.close()

    def environment(self) -> dict[str, str]:
        """What a child process needs to use this engine; its client comes first on PATH."""
        path = f"{self.client.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        found = {"DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "1", "PATH": path}
        # A private engine has no bridge: its builds get no network, its checks the machine's own.
        networks = {"SLIPWAY_BUILD_NETWORK": "none", "SLIPWAY_CHECK_NETWORK": "host"}
        return {**found, **networks} if self.private else found

    @property
    def pid(self) -> int | None:
        """The private engine's process id while it runs."""
        with suppress(OSError, ValueError):
            pid = int((self.run_dir / "docker.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
            # The number of a dead engine may belong to somebody else by now.
            return pid if self._socket in command else None
        return None

    @property
    def _socket(self) -> str:
        return f"unix://{self.run_dir}/docker.sock"

    def _find(self) -> bool:
        client = find_client()
        for host in dict.fromkeys((os.environ.get("DOCKER_HOST", ""), DEFAULT_SOCKET)):
            # Its own private engine may be in DOCKER_HOST already; it is shared, not borrowed.
            if client and host and host != self._socket and answers(host):
                self.host, self.client = host, client
                return True
        return False

    def _install(self) -> None:
        with locked(self.cache / "install.lock"):
            if not (find_client() and shutil.which("dockerd")):
                wanted = ["docker.io", "iptables", "mount"]
                if _kernel_confines() and not shutil.which("apparmor_parser"):
                    wanted.append("apparmor")
                install(wanted, ["docker-cli", "docker-buildx"], self.say)
        client = find_client()
        if client is None:
            raise SetUpError(HELP)
        self.client = client
        # Where services are managed, the package has started one.
        if not self._find():
            self.host = ""

    def _share_private(self) -> None:
        while self._users is None:
            self._users = self._join()
        try:
            with locked(self.run_dir / "start.lock"):
                if not (self.pid and answers(self._socket)):
                    self._start_private()
        except BaseException:
            self.stop()
            raise
        self.host, self.private = self._socket, True

    def _join(self) -> IO[str] | None:
        """Become a user; None if the last one was just clearing up, in which case ask again."""
        self.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.run_dir / "users.lock"
        with suppress(FileNotFoundError):
            users = path.open("a")
            # Waits here while another session's engine is being stopped.
            fcntl.flock(users, fcntl.LOCK_SH)
            if path.exists() and os.path.samestat(path.stat(), os.fstat(users.fileno())):
                return users
            users.close()
        return None

    def _start_private(self) -> None:
        self.say("starting a private Docker engine")
        self._stop_private()
        log = self.cache / "engine" / "dockerd.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        keeper = subprocess.Popen(
            [
                sys.executable,
                engine_keeper.__file__,
                self.run_dir / "users.lock",
                log,
                *self._command(),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        self._wait(keeper, log)

    def _wait(self, keeper: subprocess.Popen[bytes], log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not answers(self._socket, seconds=2):
            if keeper.poll() is not None or time.monotonic() > deadline:
                words = log.read_text(errors="replace").splitlines()[-10:] if log.exists() else []
                lines = "\n".join(words)
                raise SetUpError(f"The private Docker engine did not start:\n{lines}\n\n{HELP}")
            time.sleep(0.05)
        with closing(docker.DockerClient(base_url=self._socket)) as client:
            driver = client.info()["Driver"]
        if driver == "vfs":
            self.say(f"the engine copies whole images: {self.cache} cannot hold overlays (vfs)")

    def _command(self) -> list[str]:
        dockerd = shutil.which("dockerd")
        if dockerd is None:
            raise SetUpError(HELP)
        return [
            dockerd,
            f"--data-root={self.cache / 'engine' / 'data'}",
            f"--exec-root={self.run_dir / 'exec'}",
            f"--host={self._socket}",
            f"--pidfile={self.run_dir / 'docker.pid'}",
            # Not the machine's: a private engine obeys this command line only.
            f"--config-file={self.run_dir / 'daemon.json'}",
            "--iptables=false",
            "--ip6tables=false",
            f"--bridge={self.bridge}",
        ]

    def _stop_private(self) -> None:
        """Stop the engine of this cache and clear what a killed one left."""
        for pid in filter(None, (self.pid, self._containerd_pid)):
            _end(pid)
        for point in (*_mounts_below(self.cache / "engine"), *_mounts_below(self.run_dir)):
            if shutil.which("umount"):
                run(["umount", "--lazy", point], check=False)
        # A pid file of a dead containerd makes the next engine wait for it in vain.
        shutil.rmtree(self.run_dir / "exec", ignore_errors=True)
        (self.run_dir / "docker.pid").unlink(missing_ok=True)
        (self.run_dir / "daemon.json").write_text("{}")

    @property
    def _containerd_pid(self) -> int | None:
        """The engine's containerd, which outlives an engine that was killed."""
        with suppress(OSError, ValueError):
            folder = self.run_dir / "exec" / "containerd"
            pid = int((folder / "containerd.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
            return pid if str(folder) in command else None
        return None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def ensure_engine(cache: Path, say: Say = print) -> str:
    """The DOCKER_HOST of an engine that stays as long as this process lives."""
    return _kept.setdefault(cache, Engine(cache, say)).start().host


_kept: dict[Path, Engine] = {}


def _kernel_confines() -> bool:
    flag = Path("/sys/module/apparmor/parameters/enabled")
    return flag.exists() and flag.read_text().startswith("Y")


def _mounts_below(folder: Path) -> list[str]:
    """What a killed engine left mounted, the deepest first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((p for p in points if p.startswith(f"{folder}/")), reverse=True)


def _try_lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _end(pid: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        while _lives(pid) and time.monotonic() < deadline:
            time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
