"""`make demo`: a push becomes a live alias before one's eyes, and nothing is left afterwards."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import docker
import pytest

from tests.demo.conftest import EXAMPLE, ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.docker]
STAGES = ("checkout", "test", "build", "publish", "deploy", "release")


@pytest.fixture(autouse=True)
def ready(engine, python_image: str) -> None:
    """The engine is this session's, so that a demo's engine work is not what is waited for."""


@pytest.fixture
def containers(docker_host: str):
    """The containers of runs on the engine, once there are none or a few seconds are over."""
    client = docker.DockerClient(docker_host)

    def left() -> list[str]:
        deadline = time.monotonic() + 5
        while found := client.containers.list(all=True, filters={"label": "slipway.run"}):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        return [one.name for one in found]

    yield left
    client.close()


def test_two_demos_at_once_both_reach_a_live_alias(start):
    """Each demo shows its stages and ends with AWS's alias, GitHub's statuses and the run."""
    both = [start("demo"), start("demo")]
    for demo in both:
        code = demo.process.wait(240)
        output = demo.output
        assert code == 0, output
        for stage in STAGES:
            assert re.search(rf"^  ✓ {stage} +\d+\.\d s", output, re.MULTILINE), output
        assert re.search(r"MoviesLoader:sandbox → version 1, commit [0-9a-f]{40}, sha256", output)
        assert "✓ slipway/deploy/sandbox: success" in output
        assert re.search(r"run +http://\S+/runs/\S+", output)
        assert re.search(r"token +\S{16}", output)
        assert "\x1b[" not in output
        assert demo.left() == []
    assert both[0].output != both[1].output


def test_a_failing_check_fails_the_demo(start, tmp_path: Path):
    """The exit code is 1, and the output names the check and what its log says."""
    broken = tmp_path / EXAMPLE.name
    shutil.copytree(EXAMPLE, broken)
    with (broken / "tests" / "test_index.py").open("a") as tests:
        tests.write("\n\nclass Broken(unittest.TestCase):\n    def test(self):\n        assert 0\n")
    demo = start("demo", "--example", str(broken))
    assert demo.process.wait(120) == 1, demo.output
    assert "✗ slipway/deploy/sandbox: failure" in demo.output
    assert "unit failed with exit code 1" in demo.output
    assert "FAIL: test (tests.test_index.Broken" in demo.output
    assert "  - deploy" in demo.output
    assert demo.left() == []


@pytest.mark.soak
@pytest.mark.parametrize(
    ("moment", "number"),
    [("Set-up", signal.SIGTERM), ("Docker engine", signal.SIGINT), ("checkout", signal.SIGTERM)],
)
def test_a_signal_at_any_moment_leaves_nothing(start, containers, moment: str, number: int):
    """No process, no container and no folder of it is there a moment later."""
    demo = start("demo")
    demo.said(moment)
    assert demo.end(number) == 128 + number, demo.output
    assert demo.left() == []
    assert containers() == []
    assert not list((ROOT / ".slipway" / "demo").glob(f"{demo.process.pid}-*"))


def test_on_a_terminal_it_serves_until_ctrl_c(tmp_path: Path):
    """The screen is drawn upon, the last line says how to end it, and Ctrl-C is no failure."""
    ours, theirs = pty.openpty()
    demo = subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen, deadline = b"", time.monotonic() + 120
    while b"Ctrl-C ends it" not in seen and time.monotonic() < deadline:
        with suppress(OSError):
            seen += os.read(ours, 65536)
    demo.send_signal(signal.SIGINT)
    while demo.poll() is None:
        with suppress(OSError):
            seen += os.read(ours, 65536)
    os.close(ours)
    assert b"\x1b[" in seen
    assert b"Ctrl-C ends it" in seen, seen.decode()
    assert demo.returncode == 0
