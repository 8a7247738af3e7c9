"""Runs a private dockerd for as long as somebody holds a shared lock on its users file.

Started by `engine.py` in a session of its own, so that neither Ctrl-C nor SIGKILL of a test run or
a demo leaves an engine behind, and several of them can share one. The kernel keeps the count:
whoever uses the engine holds a shared `flock`, which ends with its process, however that ends; the
keeper waits for the exclusive one.

Usage: engine_keeper.py USERS_FILE LOG_FILE DOCKERD [ARGUMENT …]
"""

import fcntl
import shutil
import subprocess
import sys
import threading
from pathlib import Path

GRACE = 20
BOUND = ("--pdeathsig", "TERM", "--")


def main(users: Path, log: Path, command: list[str]) -> int:
    """Run the engine until it ends or the last user has gone; returns its exit code."""
    setpriv = shutil.which("setpriv")
    prefix = [setpriv, *BOUND] if setpriv else []
    with log.open("ab") as output:
        engine = subprocess.Popen(
            [*prefix, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    last_user_left = threading.Event()
    threading.Thread(target=_wait_for_users, args=(users, last_user_left), daemon=True).start()
    while engine.poll() is None and not last_user_left.wait(0.2):
        pass
    code = _end(engine)
    if last_user_left.is_set():
        shutil.rmtree(users.parent, ignore_errors=True)
    return code


def _end(engine: subprocess.Popen[bytes]) -> int:
    engine.terminate()
    try:
        return engine.wait(GRACE)
    except subprocess.TimeoutExpired:
        engine.kill()
        return engine.wait()


def _wait_for_users(users: Path, gone: threading.Event) -> None:
    # Never closed: the lock keeps newcomers out until this process has ended.
    lock = users.open("a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    gone.set()
    threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
