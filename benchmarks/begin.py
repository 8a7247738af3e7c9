"""The time from a push to the first command of its first stage.

Everything is measured from outside with one clock. Slipway's first command is git making the
mirror of a repository that it has not seen before: the kernel tells when git makes its folder.
Celery's is the task's body, Buildbot's a shell command; both write the time down.
"""

import contextlib
import ctypes
import os
import select
import socket
import struct
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import competitors, deliveries
from benchmarks.measure import Options, median, percentile, turns
from tests.stand_ins.github import TOKEN, GitHub

ENDED = {"succeeded", "failed", "cancelled", "superseded"}
SECONDS = 30
WARM = 6
IN_CREATE = 0x100
Push = Callable[[], float]


class Folder:
    """Waits for names that appear in a folder (inotify(7))."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.inotify_init1(os.O_CLOEXEC)
        if libc.inotify_add_watch(self.descriptor, os.fsencode(path), IN_CREATE) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def wait(self, suffix: str) -> float:
        """When the next name with that suffix appeared."""
        until = time.time() + SECONDS
        while select.select([self.descriptor], [], [], max(0, until - time.time()))[0]:
            data, at = os.read(self.descriptor, 65536), time.time()
            while data:
                size = struct.unpack("iIII", data[:16])[3]
                name, data = data[16 : 16 + size].rstrip(b"\0"), data[16 + size :]
                if name.endswith(suffix.encode()):
                    return at
        raise TimeoutError(f"nothing named …{suffix} appeared")


def post(port: int, request: bytes) -> float:
    """Send a request over a new connection and hear the answer; when it was sent."""
    began = time.time()
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(request)
        status = line.recv(65536)[9:12]
    if not status.startswith(b"2"):
        raise SystemExit(f"a push was answered {status.decode()}")
    return began


def written(file: Path, commit: str) -> float:
    """The time that a command noted behind its commit."""
    until = time.time() + SECONDS
    while time.time() < until:
        for line in file.read_text().splitlines() if file.exists() else ():
            name, _, at = line.partition(" ")
            if name == commit and at:
                return float(at)
        time.sleep(0.02)
    raise TimeoutError(f"{commit} never began")


@contextlib.contextmanager
def slipway(folder: Path) -> Iterator[Push]:
    """Web and worker; each push is of a repository id that is new to them."""
    with (
        GitHub(folder / "github") as github,
        competitors.slipway(folder, GITHUB_API_URL=github.api_url, GITHUB_TOKEN=TOKEN) as (app, _),
    ):
        github.create_repository(deliveries.REPOSITORY)
        commit = github.commit(deliveries.REPOSITORY, "develop", {"README.md": "Nothing to do.\n"})
        app.start()
        mirrors = Folder(folder / "slipway" / "data" / "mirrors")

        def push() -> float:
            body = deliveries.body(commit, web=github.url)
            number = uuid.uuid4().int % 10**9
            body = body.replace(b'"id":1296269', b'"id":%d' % number)
            delivery = str(uuid.uuid4())
            took = -post(
                app.port, deliveries.signed(body, delivery, "/webhooks/github", "127.0.0.1")
            )
            took += mirrors.wait(".new")
            _rest(app)
            return took

        yield push


def _rest(app: competitors.Slipway) -> None:
    """Wait until the run has ended, for it must not slow the next."""
    until = time.time() + SECONDS
    while app.runs(limit=1)[0]["state"] not in ENDED:
        if time.time() > until:
            raise TimeoutError("the run did not end")
        time.sleep(0.05)
    time.sleep(0.1)


@contextlib.contextmanager
def celery(folder: Path) -> Iterator[Push]:
    """The tutorial's receiver and its worker: signature, `delay`, the task's body."""
    with (
        competitors.receiver(folder) as (_, port, redis),
        competitors.celery_worker(folder, redis) as begun,
    ):
        yield _noting(port, "/webhook", begun)


@contextlib.contextmanager
def buildbot(folder: Path) -> Iterator[Push]:
    """Buildbot's hook, a scheduler without a stable timer, a local worker, a shell command."""
    with competitors.buildbot(folder, branch="develop") as (_, port):
        yield _noting(port, "/change_hook/github", folder / "begun")


def _noting(port: int, path: str, begun: Path) -> Push:
    def push() -> float:
        commit = (uuid.uuid4().hex * 2)[:40]
        body = deliveries.body(commit)
        began = post(port, deliveries.signed(body, str(uuid.uuid4()), path, "127.0.0.1"))
        took = written(begun, commit) - began
        time.sleep(0.1)
        return took

    return push


RIVALS = {"Slipway": slipway, "bare Celery": celery, "Buildbot": buildbot}


def run(options: Options) -> dict:
    """Take turns, push by push."""
    rounds = 3 if options.quick else options.rounds * 8
    with contextlib.ExitStack() as stack:
        pushes = {
            name: stack.enter_context(rival(options.folder / name.replace(" ", "-")))
            for name, rival in RIVALS.items()
        }
        for push in pushes.values():
            for _ in range(WARM):  # each of a worker's processes has its first time
                push()
        found = turns(list(pushes), lambda name: pushes[name](), rounds)
    return {
        "rows": [
            {
                "name": name,
                "median": median(times) * 1000,
                "p90": percentile(times, 90) * 1000,
                "least": min(times) * 1000,
                "pushes": len(times),
            }
            for name, times in found.items()
        ]
    }
