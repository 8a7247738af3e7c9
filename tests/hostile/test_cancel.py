"""A cancel is heard within five seconds, whatever the run's process hangs in; nothing else is."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import town
from tests.e2e.town import WAITING, Place, Town, pipeline, until
from tests.ledger.conftest import Book, book
from workers.ledger import keys
from workers.ledger.lease import Lease
from workers.ledger.model.run import StageState, State
from workers.process.watchdog import AtWork, Watchdog

__all__ = ["book", "town"]
HEARD_SECONDS = 5.0
STUCK = "import re; re.match('(a+)+$', 'a' * 50 + 'b')"
"""A pattern that holds the interpreter's lock for hours."""
QUICK = {"cancel": 0.3, "drain": 0.3, "lost": 0.3, "over": 0.3}


class Stuck:
    """A run whose task is at work in a process that hears nothing."""

    def __init__(self, book: Book, seconds: float = 30.0) -> None:
        self.book = book
        self.run = book.take_on()
        self.process = subprocess.Popen([sys.executable, "-c", STUCK])
        # A run's first task bears its id.
        taken = book.lease(self.run, "w1", self.run, seconds=seconds, capacity=3)
        assert isinstance(taken, Lease)
        self.began = time.monotonic()

    def at_work(self) -> list[AtWork]:
        """What a worker's main process knows of it."""
        if self.process.poll() is not None:
            return []
        return [AtWork(self.run, self.process.pid, time.monotonic() - self.began)]

    def watched(self, seconds: float) -> bool:
        """Whether its process was ended by a watchdog within so many seconds."""
        dog = Watchdog(self.book, self.at_work, grace=QUICK)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            dog.look()
            time.sleep(0.05)
        return self.process.poll() is not None

    def again(self) -> Lease:
        """What the next visit gets; it must get the run."""
        return self.book.leased(self.run, "w2")


@pytest.fixture
def stuck(book: Book) -> Iterator[Callable[..., Stuck]]:
    """Makes stuck runs, and ends what is left of them."""
    made: list[Stuck] = []

    def make(**more: float) -> Stuck:
        made.append(Stuck(book, **more))
        return made[-1]

    yield make
    for one in made:
        one.process.kill()
        one.process.wait()


def test_a_process_whose_lease_is_kept_is_left_alone(stuck):
    """It holds its interpreter, and without a watchdog's reason it would do so for hours."""
    one = stuck()
    assert not one.watched(1)
    assert one.book.history.run(one.run).state is State.RUNNING


def test_a_cancelled_run_is_taken_from_a_process_that_hears_nothing(stuck):
    """Its process is ended, and so is the run, without a visit that may find no slot; no loss."""
    one = stuck()
    assert one.book.cancel(one.run, "Cancelled by alice") == "asked"
    assert one.watched(5)
    assert one.process.returncode == -signal.SIGKILL
    run = one.book.history.run(one.run)
    assert (run.state, run.error) == (State.CANCELLED, "Cancelled by alice")
    assert {stage.state for stage in run.stages} == {StageState.SKIPPED}
    assert one.book.history.fields(one.run, "losses") == [None]
    assert one.book.try_lease(one.run, "w2").why == "ended"


def test_what_has_moved_something_is_left_to_put_it_back(stuck):
    """A cancel ends no process whose run has begun to move aliases."""
    one = stuck()
    one.book.redis.hset(f"{keys.RUN}{one.run}", "unfinished", "yes")
    one.book.cancel(one.run, "Cancelled by alice")
    assert not one.watched(1)


def test_a_process_that_lost_its_lease_gives_its_place_free(stuck):
    """A pattern that stops the heartbeats holds its slot no longer than the lease."""
    one = stuck(seconds=0.6)
    assert one.watched(5)
    one.again()
    assert one.book.history.fields(one.run, "losses") == ["1"]


def test_a_task_has_a_time_limit(stuck):
    """Above what its run wrote down it is ended, which counts as a lost worker."""
    one = stuck()
    one.book.redis.hset(f"{keys.RUN}{one.run}", "task_seconds", "1")
    assert one.watched(5)
    assert time.monotonic() - one.began > 1
    one.again()
    assert one.book.history.fields(one.run, "losses") == ["1"]


def test_a_drained_worker_waits_for_nobody_who_hears_nothing(stuck):
    """The run is handed back without a loss, and the worker can end."""
    one = stuck()
    one.book.drain("w1", drained=True)
    assert one.watched(5)
    one.again()
    assert one.book.history.fields(one.run, "losses") == [None]


def test_after_three_losses_the_run_ends(stuck, book):
    """What kills or hangs every process that touches it is not tried for ever."""
    one = stuck(seconds=0.5)
    for number in range(4):
        assert one.watched(5), number
        one.process = subprocess.Popen([sys.executable, "-c", STUCK])
        found = book.lease(one.run, "w1", one.run, seconds=0.5, capacity=3)
        if not isinstance(found, Lease):
            break
    assert number == 3
    assert book.history.run(one.run).state is State.FAILED


@contextmanager
def silent() -> Iterator[tuple[int, list[socket.socket]]]:
    """A port that takes every connection and never says anything."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1], kept
        for one in kept:
            one.close()


def heard(town: Town, place: Place, commit: str) -> None:
    """Cancel the run: it is over within the time, and nothing of it is left."""
    run = place.run(commit)["id"]
    assert town.slipway.run(run)["state"] == "running"
    began = time.monotonic()
    answer = town.slipway._http.post(f"{town.slipway.url}/api/v1/runs/{run}/cancel", timeout=10)
    assert answer.status_code < 300, answer.text
    until(lambda: town.slipway.run(run)["state"] == "cancelled", 15, lambda: place.story(commit))
    assert time.monotonic() - began < HEARD_SECONDS
    town.assert_clean(run)


def running(town: Town, place: Place, commit: str, stage: str) -> None:
    """Wait until a stage runs."""

    def there() -> bool:
        stages = town.slipway.run(place.run(commit)["id"])["stages"]
        return any(s["name"] == stage and s["state"] == "running" for s in stages)

    until(there, 150, lambda: place.story(commit))


@pytest.mark.e2e
def test_while_aws_stalls(town: Town):
    """A call to Lambda that is never answered keeps no cancel waiting."""
    place = town.place("cancel-aws")
    hold = town.gate.hold("UpdateFunctionCode", place.function)
    commit = place.push()
    assert hold.reached.wait(90), place.story(commit)
    time.sleep(3)
    assert town.slipway.run(place.run(commit)["id"])["state"] == "running", "it stands there"
    heard(town, place, commit)
    hold.open()
    assert place.moves() == []


@pytest.mark.e2e
def test_while_docker_stalls(town: Town):
    """An engine that takes connections and says nothing keeps no cancel waiting."""
    with silent() as (port, kept):
        place = town.place("cancel-docker")
        with town.changed("worker", DOCKER_HOST=f"tcp://127.0.0.1:{port}"):
            commit = place.push()
            running(town, place, commit, "test")
            until(lambda: kept, 30, "nobody asked the engine")
            heard(town, place, commit)


@pytest.mark.e2e
def test_while_git_stalls(town: Town):
    """A fetch that GitHub never answers keeps no cancel waiting."""
    place = town.place("cancel-git")
    fault = town.github.fail_next("*", f"^/{place.repository}.git/", times=1, status=None, delay=30)
    commit = place.push()
    running(town, place, commit, "checkout")
    until(lambda: town.github.struck(fault), 30, "nobody fetched")
    heard(town, place, commit)


def at_work(worker: int) -> int:
    """The process of a worker that is at a run: it has a heartbeat and a console beside it."""
    found = subprocess.run(
        ["ps", "-o", "pid=,nlwp=", "--ppid", str(worker)],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [tuple(map(int, line.split())) for line in found.stdout.splitlines()]
    return max(rows, key=lambda row: row[1])[0]


@pytest.mark.e2e
def test_while_the_process_hears_nothing_at_all(town: Town):
    """One that is stopped, as one whose interpreter is held, is ended from outside."""
    place = town.place("cancel-held")
    with town.changed("worker", SLIPWAY_LEASE_SECONDS="60"):
        commit = place.push(place.files(slipway__toml=pipeline(place.function, WAITING)))
        until(lambda: "began" in place.log(commit), 90, lambda: place.story(commit))
        process = at_work(town.slipway.processes["worker"].pid)
        os.kill(process, signal.SIGSTOP)
        heard(town, place, commit)
        assert not Path(f"/proc/{process}").exists(), "it still holds its slot"
