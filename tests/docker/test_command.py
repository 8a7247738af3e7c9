"""Tests of running a program so that nothing of it stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.docker.conftest import LeaseLostError, Losing, Quiet
from workers.docker import command

PATH = {"PATH": os.environ["PATH"]}


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int, seconds: float = 5) -> bool:
    """Whether the process ends in time."""
    until = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def test_output_and_exit_code(quiet: Quiet):
    """Output of both kinds goes to the log in order; the exit code comes back."""
    texts: list[str] = []
    code = command.run(
        ["sh", "-c", "echo out; echo err >&2; cat; exit 7"],
        environment=PATH,
        seconds=20,
        say=texts.append,
        watch=quiet,
    )
    assert (code, "\n".join(texts)) == (7, "out\nerr")


def test_it_gets_only_the_environment_it_is_given(quiet: Quiet, monkeypatch: pytest.MonkeyPatch):
    """No variable of the worker reaches the program."""
    monkeypatch.setenv("GITHUB_TOKEN", "canary")
    texts: list[str] = []
    command.run(["env"], environment=PATH, seconds=20, say=texts.append, watch=quiet)
    assert "canary" not in "".join(texts)
    assert "PATH=" in "".join(texts)


@pytest.mark.parametrize(
    ("seconds", "lease", "error"),
    [(1, 99, TimeoutError), (99, 0.5, LeaseLostError)],
)
def test_nothing_outlives_the_end(seconds: float, lease: float, error: type[Exception]):
    """When the time or the lease is over, the program and what it started are killed soon."""
    texts: list[str] = []
    start = time.monotonic()
    with pytest.raises(error):
        command.run(
            ["sh", "-c", "sleep 300 & echo $$ $!; wait"],
            environment=PATH,
            seconds=seconds,
            say=texts.append,
            watch=Losing(lease),
        )
    assert time.monotonic() - start < 10
    pids = [int(pid) for pid in texts[0].split()]
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


def test_a_program_is_heard_to_end_at_once(quiet: Quiet, monkeypatch: pytest.MonkeyPatch):
    """Its output ends before it does, and no tick is slept through in between."""
    monkeypatch.setattr(command, "_TICK", 5)
    start = time.monotonic()
    code = command.run(
        ["sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 7"],
        environment=PATH,
        seconds=60,
        say=print,
        watch=quiet,
    )
    assert code == 7
    assert 0.3 <= time.monotonic() - start < 3


def test_a_program_without_output_is_watched_too():
    """Whoever closes its output gets no more time than others."""
    start = time.monotonic()
    for seconds, lease, error in [(1, 99, TimeoutError), (99, 0.5, LeaseLostError)]:
        with pytest.raises(error):
            command.run(
                ["sh", "-c", "exec >&- 2>&-; sleep 300"],
                environment=PATH,
                seconds=seconds,
                say=print,
                watch=Losing(lease),
            )
    assert time.monotonic() - start < 10


def test_what_it_left_behind_is_killed(quiet: Quiet):
    """A background process that holds the output open neither hangs the worker nor stays."""
    texts: list[str] = []
    code = command.run(
        ["sh", "-c", "sleep 300 & echo $!"],
        environment=PATH,
        seconds=60,
        say=texts.append,
        watch=quiet,
    )
    assert code == 0
    assert gone(int(texts[0]))


def test_it_dies_with_its_worker(tmp_path: Path):
    """SIGKILL of the worker takes the program with it."""
    note = tmp_path / "pid"
    program = (
        "from workers.docker import command\n"
        "from tests.docker.conftest import Quiet\n"
        f"command.run(['sh', '-c', 'echo $$ > {note}.new; mv {note}.new {note}; exec sleep 300'],"
        f" environment={PATH!r}, seconds=300, say=print, watch=Quiet())\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program])
    while not note.exists():
        assert worker.poll() is None
        time.sleep(0.05)
    pid = int(note.read_text())
    assert alive(pid)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert gone(pid)
