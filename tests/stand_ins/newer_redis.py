"""A Redis with WAITAOF (7.2 and later), from the next Debian where this machine's is older."""

import re
import shutil
from pathlib import Path

from local.packages import Say, can_install, install, locked, run
from local.process import SetUpError
from local.redis import redis_server

SUITE = "trixie"
WANTED = (7, 2)
LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/systemd")


def newer_redis(cache: Path, say: Say = print) -> Path:
    """A redis-server program that has WAITAOF; made under `cache` if there is none here.

    Raises:
        SetUpError: when it can neither be found nor made.
    """
    own = redis_server()
    if _version(own) >= WANTED:
        return own
    program = cache / "newer-redis" / "redis-server"
    with locked(cache / "newer-redis.lock"):
        if not program.exists():
            _make(program, say)
    return program


def _version(program: Path) -> tuple[int, int]:
    said = re.search(r"v=(\d+)\.(\d+)", run([program, "--version"]).stdout)
    return (int(said[1]), int(said[2])) if said else (0, 0)


def _make(program: Path, say: Say) -> None:
    if not can_install():
        raise SetUpError(f"No Redis {WANTED[0]}.{WANTED[1]} here, and only root on Debian makes it")
    install(["debootstrap"], [], say)
    say(f"taking redis-server from {SUITE}")
    root = program.parent / "root"
    shutil.rmtree(root, ignore_errors=True)
    run(["debootstrap", "--variant=minbase", "--include=redis-server", SUITE, root, _archive()])
    # Its own loader and libraries: those of this machine are older.
    paths = ":".join(str(root / folder) for folder in LIBRARIES)
    (loader,) = (root / "usr" / "lib").rglob("ld-linux-x86-64.so.2")
    command = f"{loader} --library-path {paths} {root}/usr/bin/redis-server"
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    program.chmod(0o755)


def _archive() -> str:
    """Where this machine gets Debian from."""
    form = "$(ORIGIN) $(CREATED_BY) $(REPO_URI)"
    for line in run(["apt-get", "indextargets", "--format", form]).stdout.splitlines():
        origin, kind, address = line.split(" ", 2)
        if (origin, kind) == ("Debian", "Packages"):
            return address
    raise SetUpError("This machine's apt knows no archive of Debian's")
