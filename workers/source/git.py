"""Git's command line, hardened: an environment from scratch, argument lists, limits."""

import base64
import contextlib
import functools
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.limits import GIT_OUTPUT
from config.units import duration, size
from workers.ledger.model.errors import OurError, PassingError, UserError
from workers.ledger.model.guard import Watch
from workers.source.address import origin
from workers.source.heard import Heard, Take

TICK = 0.5
"""Seconds between two looks at the watch."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"),
)
"""The caller's variables that git is given, in either case: proxies and certificates."""

CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.attributesFile": "/dev/null",
    "core.fsmonitor": "false",
    "core.autocrlf": "false",
    "core.symlinks": "true",
    "core.fileMode": "true",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.askPass": "",
    "credential.helper": "",
    "protocol.ext.allow": "never",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "transfer.fsckObjects": "true",
    "fetch.fsckObjects": "true",
    # Flaws of old tools that well-known repositories carry in their history for ever.
    "fetch.fsck.badTimezone": "ignore",
    "fetch.fsck.missingSpaceBeforeDate": "ignore",
    "fetch.fsck.zeroPaddedFilemode": "ignore",
    # A pack appears whole or not at all; loose objects of a killed fetch would be a torn mirror.
    "fetch.unpackLimit": "1",
    # Git sends extra headers wherever it is redirected to: the token must not travel.
    "http.followRedirects": "false",
    # A busy server says at least "still here", five bytes every five seconds.
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
    "gc.auto": "0",
    "gc.autoDetach": "false",
    "maintenance.auto": "false",
}


LONG = {"fetch", "ls-remote", "gc", "read-tree", "checkout-index"}
"""What may take long enough to outlive its worker."""


@dataclass(frozen=True)
class Result:
    """What git left: exit code, standard output, and its complaints with secrets masked."""

    code: int
    out: bytes
    complaint: str


@dataclass(frozen=True)
class Git:
    """Runs git below one directory, for as long as the watch allows.

    `network` may hold proxy and certificate variables; everything else in it is left out.
    """

    root: Path
    watch: Watch | None = None
    network: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 1800

    def __post_init__(self) -> None:
        # Git runs in `root`, where a relative path would mean something else.
        object.__setattr__(self, "root", self.root.absolute())
        self.root.mkdir(parents=True, exist_ok=True)

    @property
    def authorities(self) -> str | None:
        """The file of those who may vouch for servers, where it is not git's own."""
        return self.network.get("GIT_SSL_CAINFO")

    def run(  # noqa: PLR0913 - a call of git has that many sides
        self,
        *arguments: str,
        directory: Path | None = None,
        variables: Mapping[str, str] | None = None,
        remote: tuple[str, str | None] | None = None,
        hold: Sequence[int] = (),
        most: int = GIT_OUTPUT,
        take: Take | None = None,
        file_bytes: int | None = None,
    ) -> Result:
        """Run git to its end, on the repository in `directory`.

        Args:
            arguments: what follows `git`; nothing foreign may stand where an option could.
            directory: the bare repository, as GIT_DIR.
            variables: more environment variables.
            remote: a clone URL and the token that its origin is sent, in a header.
            hold: descriptors of locks that a git which outlived its worker must keep.
            most: bytes of output after which it is stopped; fewer than usual are a whole answer.
            take: is given the output as it comes, of any length, and none is kept.
            file_bytes: the most that it may write into one file, which the kernel sees to.

        Raises:
            UserError: it printed more than is read.
            PassingError: it took longer than `seconds`.
            OurError: git isn't installed.
        """
        secrets = _secrets(remote[1] if remote else None)
        environment = self._environment(directory, remote) | dict(variables or {})
        with self._started(arguments, environment, hold) as process:
            if file_bytes is not None:
                _bound(process, file_bytes)
            heard = Heard(process, most, take)
            self._wait(heard, arguments[0])
        if heard.full and most == GIT_OUTPUT:
            raise UserError(
                f"git {arguments[0]} prints more than {size(GIT_OUTPUT)} for this repository"
            )
        complaint = mask(heard.complaint.decode(errors="replace"), secrets)
        return Result(0 if heard.full else process.returncode, heard.out, complaint)

    def _environment(
        self, directory: Path | None, remote: tuple[str, str | None] | None
    ) -> dict[str, str]:
        config = dict(CONFIG)
        if remote and remote[1]:
            header = f"Authorization: Basic {_basic(remote[1])}"
            config[f"http.{origin(remote[0])}/.extraHeader"] = header
        network = {name: value for name, value in self.network.items() if name.upper() in NETWORK}
        environment = network | {
            "PATH": PATH,
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": "http:https",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(self.root),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": str(len(config)),
        }
        for number, (key, value) in enumerate(config.items()):
            environment[f"GIT_CONFIG_KEY_{number}"] = key
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        if directory:
            environment["GIT_DIR"] = str(directory)
        return environment

    @contextlib.contextmanager
    def _started(
        self, arguments: Sequence[str], environment: Mapping[str, str], hold: Sequence[int]
    ) -> Iterator["subprocess.Popen[bytes]"]:
        prefix = _prefix() if arguments[0] in LONG else ()
        try:
            process = subprocess.Popen(  # noqa: S603 - an argument list, never a shell
                [*prefix, "git", *arguments],
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
                # Where the kernel kills it with its worker, it has no need to hold a lock longer.
                pass_fds=() if prefix else tuple(hold),
                umask=0o022,
            )
        except FileNotFoundError:
            raise OurError("git is not there: install git on the worker's machine") from None
        with process:
            try:
                yield process
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def _wait(self, heard: Heard, verb: str) -> None:
        began = looked = time.monotonic()
        while not heard.ended(TICK):
            now = time.monotonic()
            if now < looked + TICK:
                continue
            looked = now
            if self.watch:
                self.watch.check()
            if now > began + self.seconds:
                raise PassingError(
                    f"git {verb} took longer than {duration(self.seconds)} and was stopped"
                )


def _bound(process: "subprocess.Popen[bytes]", file_bytes: int) -> None:
    """What it starts inherits this; git asks the server before it starts what writes a pack."""
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (file_bytes, file_bytes))


def mask(text: str, secrets: Sequence[str] = ()) -> str:
    """The text without these secrets and without what looks like credentials."""
    for secret in secrets:
        text = text.replace(secret, "***")
    text = re.sub(r"(?i)(authorization:\s*\w+\s+)\S+", r"\1***", text)
    # Not with the scheme: the text may be a repository's, and looking for one is quadratic.
    return re.sub(r"(://)[^\s/@]*@", r"\1***@", text)


def _basic(token: str) -> str:
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


def _secrets(token: str | None) -> tuple[str, ...]:
    return (token, _basic(token)) if token else ()


@functools.cache
def _prefix() -> tuple[str, ...]:
    """What makes the kernel kill git when its worker dies (`prctl(2)`, PR_SET_PDEATHSIG)."""
    setpriv = shutil.which("setpriv", path=PATH)
    prefix = (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
    if prefix and subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:  # noqa: S603 - constants
        return ()
    return prefix
