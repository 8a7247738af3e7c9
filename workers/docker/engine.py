"""The Docker engine: its client, and a command line client that can have it build."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, TLSParameterError

from config.masker import Masker
from workers.ledger.model.errors import OurError, PassingError, RunError
from workers.ledger.model.shortage import short_of, shortage

ENVIRONMENT = (
    "PATH",
    "HOME",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "BUILDX_CONFIG",
    "SSH_AUTH_SOCK",
)
"""The variables that Docker's clients need; no other one is passed on to them."""

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_CALL_SECONDS = 60
_PROBE_SECONDS = 15
_FIRST_WITH_CGROUP = 23  # its BuildKit is the first whose frontend takes `cgroup-parent`
_FIRST_WITHOUT_BUILDKIT = 23  # from here on `docker build` is the buildx plugin


@dataclass(frozen=True)
class Builder:
    """How to start a BuildKit build: the first arguments, and variables for it."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


class Engine:
    """One Docker engine, reached as the environment says; usable from several threads."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        seconds: int = _CALL_SECONDS,
        masker: Masker | None = None,
        build_cgroup: str = "",
    ) -> None:
        """`build_cgroup` is the parent of all builds' cgroups, if the engine takes one.

        `masker` hides secrets in what is printed, where only its lines would be known later.
        """
        self.masker = masker or Masker()
        self.build_cgroup = build_cgroup
        self.environment = {
            name: environment[name] for name in ENVIRONMENT if environment.get(name)
        }
        self.host = self.environment.setdefault("DOCKER_HOST", _DEFAULT_HOST)
        self._seconds = seconds
        self._client: docker.DockerClient | None = None
        self._process = 0
        self._networks: set[str] = set()
        self._folder: Path | None = None
        self._builder: Builder | None = None

    @property
    def client(self) -> docker.DockerClient:
        """The client of this process, made at its first use.

        Raises:
            PassingError: the engine does not answer.
            OurError: the environment's settings for it are wrong.
        """
        if self._client is None or self._process != os.getpid():
            with self.reached():
                self._client = docker.from_env(
                    environment=dict(self.environment), timeout=self._seconds, max_pool_size=32
                )
            self._process = os.getpid()
        return self._client

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Translate the faults of the client's calls.

        Raises:
            PassingError: the engine does not answer, or went away.
            OurError: it refused.
        """
        try:
            yield
        except APIError as error:
            if short_of(str(error.explanation or error)):
                raise PassingError(f"Docker's machine is short: {error.explanation}") from error
            raise OurError(f"Docker refused: {error.explanation or error}") from error
        except TLSParameterError as error:
            raise OurError(f"DOCKER_TLS_VERIFY or DOCKER_CERT_PATH is wrong: {error}") from error
        except (
            DockerException,
            OSError,
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
        ) as error:
            if short := shortage(error, Path(tempfile.gettempdir())):
                raise short from error
            raise PassingError(
                f"Docker is not reachable at {self.host} ({type(error).__name__}): start it, or"
                " set DOCKER_HOST"
            ) from error

    def ping(self) -> None:
        """See that the engine answers.

        Raises:
            PassingError: it does not.
        """
        with self.reached():
            self.client.ping()

    @property
    def folder(self) -> Path | None:
        """Where the engine keeps its data, if that is on this machine and the engine says so."""
        if self._folder is None and self.host.startswith("unix:"):
            with suppress(RunError), self.reached():
                self._folder = Path(self.client.info()["DockerRootDir"])
        return self._folder

    def has_network(self, name: str) -> bool:
        """Whether the engine has a network of that name, and not only one whose name holds it.

        Raises:
            PassingError: the engine does not answer.
        """
        if name not in self._networks:
            with self.reached():
                self._networks = {str(network.name) for network in self.client.networks.list()}
        return name in self._networks

    def gateway(self, name: str) -> str:
        """The address of this machine in a network of the engine; empty where there is none.

        Raises:
            PassingError: the engine does not answer.
        """
        if not self.has_network(name):
            return ""
        with self.reached():
            found = self.client.networks.get(name).attrs["IPAM"]["Config"] or ()
        return next((str(one["Gateway"]) for one in found if one.get("Gateway")), "")

    def heeds_build_cgroup(self) -> bool:
        """Whether it puts builds below the cgroup that they ask for: Docker before 23 does not.

        Raises:
            PassingError: the engine does not answer.
        """
        with self.reached():
            major = str(self.client.version().get("Version", "")).partition(".")[0]
        return not major.isdigit() or int(major) >= _FIRST_WITH_CGROUP

    def builder(self) -> Builder:
        """A command line client that can build with BuildKit, found once.

        Raises:
            OurError: there is none; the text says what to install.
        """
        if self._builder is None:
            self._builder = self._find_builder()
        return self._builder

    def _find_builder(self) -> Builder:
        clients = self._clients()
        quiet = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        for client in clients:
            if "buildx" in self._answer(client, "buildx", "version"):
                return Builder((client, "buildx", "build", "--load"), self.environment | quiet)
        for client in clients:
            version = re.match(r"Docker version (\d+)\.", self._answer(client, "--version"))
            if version and int(version[1]) < _FIRST_WITHOUT_BUILDKIT:
                return Builder((client, "build"), self.environment | {"DOCKER_BUILDKIT": "1"})
        found = f" ({', '.join(clients)} can't)" if clients else ""
        raise OurError(
            f"no Docker client on PATH can build with BuildKit{found}: install docker-buildx"
            " (Debian, Ubuntu) or docker-buildx-plugin (Docker's own packages)"
        )

    def _clients(self) -> list[str]:
        folders = self.environment.get("PATH", os.defpath).split(os.pathsep)
        found = [shutil.which("docker", path=folder) for folder in folders if folder]
        distinct = {Path(client).resolve(): client for client in reversed(found) if client}
        return list(reversed(distinct.values()))

    def _answer(self, *arguments: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - a docker from PATH, arguments as a list
                arguments,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PROBE_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return "" if done.returncode else done.stdout.decode(errors="replace")
