"""The way of a plain deploy through the release: each file once, few calls, few round trips."""

import json
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis.connection import AbstractConnection

from workers.ledger import keys
from workers.ledger.model.run import State
from workers.stages import release

FOLDER = Path(release.__file__).parent
WORKERS = str(FOLDER.parents[1])
NAMES = ("StoreAdd", "StoreFind", "StoreList", "StoreSell")
APART = ("heartbeat", "console")


class Entrances:
    """Counts how often a file of the release is entered from another file of the workers.

    A generator that goes on is no new entrance, nor is what a pool of threads has been handed. The
    plan is a value, and may be read by whoever has it.
    """

    def __init__(self):
        self.of = Counter()
        self._frames = []
        self._lock = threading.Lock()

    def __call__(self, frame, event, _):
        """Look at one event, as `sys.setprofile` tells it."""
        name = frame.f_code.co_filename
        if event != "call" or not name.startswith(f"{FOLDER}/") or name.endswith("/plan.py"):
            return
        caller = frame.f_back
        while caller and not caller.f_code.co_filename.startswith(WORKERS):
            caller = caller.f_back
        with self._lock:
            if caller is None or caller.f_code.co_filename == name:
                return
            if not any(frame is one for one in self._frames):
                self._frames.append(frame)
                self.of[Path(name).relative_to(FOLDER).as_posix()] += 1

    @contextmanager
    def counted(self):
        """Count in all threads while the body runs."""
        sys.setprofile(self)
        threading.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


@pytest.fixture
def trips(monkeypatch):
    """Counts what is sent to Redis by those who release, not by heartbeat and console."""
    sent = Counter()
    send = AbstractConnection.send_packed_command

    def counting(self, *arguments, **more):
        if not threading.current_thread().name.startswith(APART):
            sent["all"] += 1
        return send(self, *arguments, **more)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counting)
    return sent


def ready(harbour):
    """A run that has nothing left but the release of four functions, which run something older."""
    for name in {*NAMES} - {"StoreAdd", "StoreList"}:
        harbour.cloud.create_function(name)
    harbour.deployed(*NAMES)
    made = harbour.ended(harbour.accept(*NAMES, stages=("deploy",)))
    assert made.state is State.SUCCEEDED
    run_id = harbour.accept(*NAMES, stages=("release",))
    releases = [json.loads(one.model_dump_json()) for one in made.releases]
    harbour.inside.redis.hset(keys.run(run_id), "releases", json.dumps(releases))
    return run_id


def test_each_file_of_the_release_is_entered_once(harbour):
    """Plan, apply, record: what one has found out is handed on, not looked up again."""
    run_id = ready(harbour)
    entrances = Entrances()
    with entrances.counted():
        assert harbour.visit(run_id) == "succeeded", harbour.story(run_id)
    assert set(entrances.of.values()) == {1}, entrances.of
    assert {"__init__.py", "observe.py", "apply.py", "live.py", "hold.py"} <= set(entrances.of)


def test_a_release_costs_few_calls_and_round_trips(harbour, trips):
    """Per function AWS is asked twice and told once; Redis is asked for all of them at once."""
    run_id = ready(harbour)
    harbour.strict.calls.clear()
    trips.clear()
    assert harbour.visit(run_id) == "succeeded", harbour.story(run_id)
    assert harbour.strict.calls == {"GetFunction": 8, "UpdateAlias": 4}
    assert trips["all"] <= 36
