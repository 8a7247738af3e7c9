"""Checks that take memory, processors and processes: what would go without a limit stops at it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.docker.conftest import Quiet, labels, real_engine
from workers.docker import images
from workers.docker.bounds import Bounds
from workers.docker.checks import Limits, Outcome, run_check
from workers.docker.engine import Engine

__all__ = ["labels", "real_engine"]
pytestmark = pytest.mark.docker
PROCESSES = 150
FORKS = f"""
import os, time
began = 0
try:
    for _ in range({PROCESSES}):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        began += 1
except OSError as error:
    print("refused:", error, flush=True)
print("started", began, flush=True)
os._exit(0)
"""
MEGABYTES = 300
TAKES = (
    f"kept = [b'x' * (1 << 20) for _ in range({MEGABYTES})]; print('has', len(kept), flush=True)"
)
SPINS = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        break
until = time.monotonic() + 3
while time.monotonic() < until:
    pass
print("used", time.process_time(), flush=True)
try:
    while True:
        os.wait()
except ChildProcessError:
    pass
"""

Try = Callable[..., tuple[Outcome, str]]


@pytest.fixture
def attempt(real_engine: Engine, python_image: str, labels: dict[str, str], tmp_path: Path) -> Try:
    """Runs a Python program as a check, within limits; what came of it, and what it said."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "Dockerfile").write_text(f"FROM {python_image}\nWORKDIR /app\nCOPY *.py ./\n")

    def run(program: str, memory: str, cpus: float, pids: int) -> tuple[Outcome, str]:
        (source / "greed.py").write_text(program)
        given: Any = {"labels": labels, "watch": Quiet(), "say": lambda _text: None}
        bounds = Bounds("none", "tests")
        image = images.build(
            real_engine, source, "Dockerfile", bounds=bounds, args={}, timeout=60, **given
        )
        said: list[str] = []
        given |= {"say": said.append, "network": "none", "name": "greed"}
        limits = Limits(memory, cpus, pids, 60)
        return run_check(real_engine, image, "python greed.py", limits=limits, **given), "\n".join(
            said
        )

    return run


def test_processes_stop_at_their_number(attempt: Try):
    """With room for all of them they start; with less the kernel refuses the next one."""
    free, said = attempt(FORKS, "512m", 2, PROCESSES + 50)
    assert f"started {PROCESSES}" in said, (free, said)
    _, said = attempt(FORKS, "512m", 2, 64)
    assert "refused:" in said
    assert int(said.rpartition("started ")[2]) < 64


def test_memory_stops_at_its_size(attempt: Try):
    """What fits is held; what doesn't is killed, swap or none, and the outcome says why."""
    free, said = attempt(TAKES, "512m", 2, 64)
    assert (free.exit_code, free.out_of_memory) == (0, False), said
    assert f"has {MEGABYTES}" in said
    caught, said = attempt(TAKES, "128m", 2, 64)
    assert "has" not in said
    assert caught.exit_code == 137
    assert caught.out_of_memory


def test_processors_are_shared_out(attempt: Try):
    """Four processes that spin get the time of so many processors as they may have."""

    def used(cpus: float) -> float:
        began = time.monotonic()
        outcome, said = attempt(SPINS, "256m", cpus, 64)
        assert outcome.exit_code == 0, said
        seconds = [float(line.split()[1]) for line in said.splitlines() if "used" in line]
        assert len(seconds) == 4
        assert time.monotonic() - began < 90
        return sum(seconds)

    free = used(2)
    assert used(0.05) < free / 2
