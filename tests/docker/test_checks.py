"""Tests of checks in real containers."""

import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.docker.conftest import LeaseLostError, Losing, Quiet
from workers.docker import images, litter
from workers.docker.bounds import Bounds
from workers.docker.checks import Limits, Outcome, run_check
from workers.docker.engine import Engine
from workers.ledger.model.errors import OurError, PassingError, UserError

pytestmark = pytest.mark.docker


class Checking:
    """Runs checks with defaults; `log` holds what was said."""

    def __init__(self, engine: Engine, image: str, labels: dict[str, str]) -> None:
        self.engine, self.image, self.labels = engine, image, labels
        self.log = ""

    def run(
        self, command: str, *, seconds: float = 60, memory: str = "64m", **more: Any
    ) -> Outcome:
        """Run one command."""
        settings = {
            "image": self.image,
            "name": "unit",
            "labels": self.labels,
            "limits": Limits(memory, 1, 64, seconds),
            "network": "none",
            "say": self._say,
            "watch": Quiet(),
        }
        return run_check(self.engine, command=command, **settings | more)

    def left(self) -> list[str]:
        """Containers of this test that are still there."""
        label = f"{litter.RUN}={self.labels[litter.RUN]}"
        return self.engine.client.containers.list(all=True, filters={"label": label})

    def _say(self, text: str) -> None:
        self.log += text + "\n"


@pytest.fixture
def checking(real_engine: Engine, python_image: str, labels: dict[str, str]) -> Checking:
    """Checks in the Python image."""
    return Checking(real_engine, python_image, labels)


def test_a_check_tells_and_ends(checking: Checking):
    """Both outputs are told, the exit code comes back, and the container is gone."""
    outcome = checking.run("echo first; printf 'caf\\303\\251\\n'; echo second >&2; exit 3")
    assert (outcome.exit_code, outcome.timed_out, outcome.out_of_memory) == (3, False, False)
    assert sorted(checking.log.split()) == ["café", "first", "second"]
    assert 0 < outcome.seconds < 30
    assert checking.left() == []


def test_output_comes_while_it_runs(checking: Checking):
    """What is printed is told at once, not at the end."""
    times: list[float] = []
    checking.run("echo a; sleep 3; echo b", say=lambda _text: times.append(time.monotonic()))
    assert times[-1] - times[0] > 2


def test_a_container_has_no_power(checking: Checking):
    """No network, no capabilities, no way to more of them, no Docker socket, few processes."""
    checking.run(
        "cat /proc/self/status; ls /sys/class/net; ls /var/run/docker.sock; echo pid $$;"
        " cat /proc/1/comm"
    )
    assert "CapEff:\t0000000000000000" in checking.log
    assert "CapBnd:\t0000000000000000" in checking.log
    assert "NoNewPrivs:\t1" in checking.log
    assert "eth0" not in checking.log
    assert "No such file" in checking.log
    assert "docker-init" in checking.log or "tini" in checking.log


def test_network_where_it_is_asked_for(checking: Checking):
    """With a network a check gets the one that is named, here the machine's own."""
    checking.run("ls /sys/class/net", network="host")
    assert len(checking.log.split()) > 1


def test_time_is_limited(checking: Checking):
    """A check over its time is killed, even one that ignores signals and keeps printing."""
    start = time.monotonic()
    outcome = checking.run("trap '' TERM INT; while :; do echo x; done", seconds=2)
    assert outcome.timed_out
    assert 2 <= outcome.seconds < 20
    assert time.monotonic() - start < 25
    assert checking.left() == []


def test_memory_is_limited(checking: Checking):
    """A check that takes too much memory is killed and this is told apart."""
    outcome = checking.run("python3 -c 'x = bytearray(300_000_000)'")
    assert (outcome.exit_code, outcome.out_of_memory, outcome.timed_out) == (137, True, False)


def test_processes_are_limited(checking: Checking):
    """A fork bomb meets the limit."""
    checking.run("for i in $(seq 200); do sleep 5 & done; wait", seconds=20)
    assert "fork" in checking.log.lower()


def test_a_closed_output_is_not_the_end(checking: Checking):
    """A check that closes its output goes on, and its exit code counts."""
    outcome = checking.run("exec >&- 2>&-; sleep 2; exit 5")
    assert outcome.exit_code == 5
    assert outcome.seconds > 2


def test_what_it_leaves_behind_ends_with_it(checking: Checking):
    """A background process that holds the output does not keep the check alive."""
    outcome = checking.run("sleep 300 & echo done")
    assert (outcome.exit_code, checking.log) == (0, "done\n")
    assert outcome.seconds < 30


def test_a_flood_stays_bounded(checking: Checking):
    """A hundred megabytes without a line end pass through in little memory."""
    total = longest = 0

    def say(text: str) -> None:
        nonlocal total, longest
        total += len(text)
        longest = max(longest, *map(len, text.split("\n")))

    tracemalloc.start()
    try:
        outcome = checking.run("head -c 100000000 /dev/zero", seconds=200, say=say)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.exit_code == 0
    assert total >= 100_000_000
    assert longest == 8192
    assert peak < 20_000_000


def test_a_lost_lease_ends_the_check(checking: Checking):
    """When the worker must stop, the container is gone before the error comes out."""
    start = time.monotonic()
    with pytest.raises(LeaseLostError):
        checking.run("while :; do echo x; done", watch=Losing(1.5))
    assert time.monotonic() - start < 20
    assert checking.left() == []


def test_the_watch_is_asked_every_second(checking: Checking):
    """A quiet check is watched as well as a loud one."""
    watch = Quiet()
    outcome = checking.run("sleep 3", watch=watch)
    assert watch.asked >= int(outcome.seconds)


def test_checks_run_at_once(checking: Checking):
    """Several checks from several threads share the time and keep their results apart."""
    barrier = threading.Barrier(4)

    def one(number: int) -> tuple[int, str]:
        texts: list[str] = []
        barrier.wait()
        outcome = checking.run(f"sleep 3; echo n{number}; exit {number}", say=texts.append)
        return outcome.exit_code, "".join(texts)

    start = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(one, range(4)))
    assert results == [(number, f"n{number}") for number in range(4)]
    assert time.monotonic() - start < 11
    assert checking.left() == []


def test_an_image_without_a_shell_fails(checking: Checking):
    """An image that has no `sh` fails the check and the log says so."""
    api = checking.engine.client.api
    api.import_image_from_data(b"\0" * 10240, repository="slipway/tests-empty")
    try:
        outcome = checking.run("true", image="slipway/tests-empty")
    finally:
        api.remove_image("slipway/tests-empty")
    assert outcome.exit_code == 127
    assert "exec sh failed" in checking.log
    assert checking.left() == []


def test_an_image_with_a_strange_user_is_the_users(checking: Checking, context: Path):
    """An image whose user does not exist is told with the check's name."""
    (context / "Dockerfile").write_text(f"FROM {checking.image}\nUSER stranger\n")
    image = images.build(
        checking.engine,
        context,
        "Dockerfile",
        bounds=Bounds("none", "tests"),
        args={},
        labels=checking.labels,
        timeout=60,
        say=print,
        watch=Quiet(),
    )
    with pytest.raises(UserError, match=r"check unit can't start.*stranger"):
        checking.run("true", image=image)
    assert checking.left() == []


def test_the_images_user_and_entrypoint(checking: Checking, context: Path):
    """A check runs as the image's user, in its folder, and not through its entrypoint."""
    (context / "Dockerfile").write_text(
        f'FROM {checking.image}\nWORKDIR /tmp\nUSER 1234\nENTRYPOINT ["false"]\nCMD ["x"]\n'
    )
    image = images.build(
        checking.engine,
        context,
        "Dockerfile",
        bounds=Bounds("none", "tests"),
        args={},
        labels=checking.labels,
        timeout=60,
        say=print,
        watch=Quiet(),
    )
    assert checking.run("id -u; pwd", image=image).exit_code == 0
    assert checking.log.split() == ["1234", "/tmp"]


def test_an_image_that_is_gone_is_ours(checking: Checking):
    """An image that was removed meanwhile is not the user's fault."""
    with pytest.raises(OurError, match="gone"):
        checking.run("true", image="slipway/tests:never")


def test_no_engine_is_a_passing_fault(checking: Checking):
    """Without an engine the check is to be tried again."""
    checking.engine = Engine({"DOCKER_HOST": "unix:///nowhere.sock"})
    with pytest.raises(PassingError):
        checking.run("true")
