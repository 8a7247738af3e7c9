"""Child processes: what is started is also ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.ports import free_port
from local.process import Process, SetUpError, wait_for_http, wait_for_port

STUBBORN = """\
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
PARENT = """\
import sys, time
from pathlib import Path
from local.process import Process
child = Process(["sleep", "600"], Path(sys.argv[1])).start()
print(child.pid, flush=True)
time.sleep(600)
"""
ROOT = Path(__file__).parents[2]


def lives(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition, seconds: float = 5) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_the_environment_is_added_to_and_the_output_is_kept(tmp_path):
    """A child sees this process's variables and the added ones; its output is in the log."""
    shell = Process(["sh", "-c", 'echo "$EXTRA in $HOME"'], tmp_path / "log", env={"EXTRA": "more"})
    shell.start()
    assert eventually(lambda: shell.exit_code == 0)
    assert shell.tail() == f"more in {os.environ['HOME']}"


def test_stop_lets_a_process_end_in_order(tmp_path):
    """SIGTERM comes first, and nothing else if it is obeyed."""
    sleep = Process(["sleep", "600"], tmp_path / "log").start()
    sleep.stop()
    assert sleep.exit_code == -signal.SIGTERM


def test_stop_ends_the_deaf_and_their_children(tmp_path):
    """What ignores SIGTERM is killed after the grace, with all that it started."""
    deaf = Process([sys.executable, "-c", STUBBORN], tmp_path / "log").start()
    deaf.wait_until(lambda: bool(deaf.tail()), "its child")
    child = int(deaf.tail())
    deaf.stop(grace=0.2)
    assert deaf.exit_code == -signal.SIGKILL
    assert eventually(lambda: not lives(child))


def test_stop_twice_is_harmless(tmp_path):
    """Stopping what has ended, or was never started, does nothing."""
    sleep = Process(["sleep", "600"], tmp_path / "log")
    sleep.stop()
    sleep.start()
    sleep.kill()
    sleep.stop()
    assert sleep.exit_code == -signal.SIGKILL


def test_a_child_dies_with_its_parent(tmp_path):
    """A killed test run leaves nothing behind."""
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as parent:
        child = int(parent.stdout.readline())
        assert lives(child)
        parent.kill()
    assert eventually(lambda: not lives(child))


def test_one_that_ends_before_it_is_ready_is_reported_with_its_words(tmp_path):
    """The caller is told at once, not after the limit, and why."""
    broken = Process(["sh", "-c", "echo no such thing; exit 3"], tmp_path / "log").start()
    with pytest.raises(SetUpError, match=r"ended with 3(.|\n)*no such thing"):
        wait_for_port(broken, free_port(), seconds=60)


def test_waits_until_http_is_answered(tmp_path):
    """It returns when the server answers, a 404 included."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with Process(command, tmp_path / "log", cwd=tmp_path) as server:
        wait_for_http(server, f"http://127.0.0.1:{port}/nothing")
        assert "404" in server.tail()


def test_one_that_never_gets_ready_is_reported(tmp_path):
    """The limit holds for a process that lives and does not answer."""
    with (
        Process(["sleep", "600"], tmp_path / "log") as idle,
        pytest.raises(SetUpError, match=r"0\.1 s"),
    ):
        wait_for_port(idle, free_port(), seconds=0.1)
