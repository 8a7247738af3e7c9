"""Several things at once, and times: each has one definition, which all use."""

import threading
import time
from pathlib import Path

import pytest

from config.together import together
from config.units import clock, exact, minute, utc

ROOT = Path(__file__).parents[2]
BESIDE = {
    "workers/attempt/branch.py",
    "workers/aws/sites/__init__.py",
    "workers/aws/sites/found.py",
    "workers/docker/workbench.py",
    "workers/packaging/deflate.py",
}
"""They begin one thing beside another, stop what is under way at a fault, or feed threads."""


def users(text):
    """The modules of the workers, and of what they stand on, that say something."""
    paths = (path for top in ("workers", "config") for path in (ROOT / top).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix() for path in paths if text in path.read_text()}


def test_what_comes_back_is_in_the_order_of_the_items():
    """Also when the last is done first; of nothing, there is nothing."""
    assert together(lambda n: time.sleep(0.03 / n) or n * 2, [1, 2, 3]) == [2, 4, 6]
    assert together(str, []) == []


def test_so_many_go_at_the_same_time_and_no_more():
    """All of them meet; one more would wait."""
    meeting = threading.Barrier(3)
    assert together(lambda _: meeting.wait(5) >= 0, range(3), 3) == [True] * 3
    lonely = threading.Barrier(2)
    with pytest.raises(threading.BrokenBarrierError):
        together(lambda _: lonely.wait(0.1), range(2), 1)


def test_after_a_fault_no_other_begins_and_those_under_way_end():
    """The first fault is what is raised."""
    begun, ended = [], []
    gate = threading.Event()

    def work(item):
        begun.append(item)
        if item == "bad":
            gate.set()
            raise ValueError("bad")
        gate.wait(5)
        time.sleep(0.05)
        ended.append(item)

    with pytest.raises(ValueError, match="bad"):
        together(work, ["slow", "bad", *range(100)], 2)
    assert "slow" in ended
    assert len(begun) < 10


def test_nobody_has_threads_or_dates_of_their_own():
    """What runs at once goes by `together`, and what was milliseconds becomes a date by `utc`."""
    assert users("ThreadPoolExecutor(") == BESIDE | {"config/together.py"}
    assert users("fromtimestamp(") == {"config/units.py"}


def test_times_are_told_in_utc():
    """To the second, to the minute, and without the day."""
    at = 1_700_000_000_999
    assert utc(at).isoformat() == "2023-11-14T22:13:20.999000+00:00"
    assert exact(at) == "2023-11-14 22:13:20 UTC"
    assert minute(at) == "2023-11-14 22:13 UTC"
    assert clock(at) == "22:13:20 UTC"
