"""kill -9 of the worker in every stage: the end is the same as if nothing had happened."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from local.process import Process
from tests.e2e.gate import Hold
from tests.e2e.town import DOCKERFILE, WAITING, Place, Town, pipeline, until

pytestmark = pytest.mark.e2e

SLOW = DOCKERFILE + "RUN echo began-$((6*7)) {}; sleep 5\n"
BEFORE = {
    "publish": "PutObject",
    "deploy-code": "UpdateFunctionCode",
    "deploy-version": "PublishVersion",
    "release": "CreateAlias",
}
AFTER = {f"{name}-done": operation for name, operation in BEFORE.items()}
MOVED = {"release-moved": False, "release-moved-done": True}
"""An alias that is there already: killed before, and after, it has moved."""
SCENARIOS = ("checkout", "test", "build", *BEFORE, *AFTER, *MOVED)


@dataclass
class Victim:
    """One run that its worker was killed in."""

    place: Place
    commit: str
    stage: str
    struck: Callable[[], bool]
    hold: Hold | None = None
    versions: int = 1
    task: str = ""
    """The one that was at work on it."""


def _checkout(town: Town) -> Victim:
    place = town.place("kill-checkout")
    path = f"^/{place.repository}.git/git-upload-pack"
    fault = town.github.fail_next("POST", path, status=None, delay=60)
    return Victim(place, place.push(), "checkout", lambda: fault.struck == 1)


def _test(town: Town) -> Victim:
    place = town.place("kill-test")
    commit = place.push(place.files(slipway__toml=pipeline(place.function, WAITING)))
    return Victim(place, commit, "test", lambda: "[test/unit] began" in place.log(commit))


def _build(town: Town) -> Victim:
    place = town.place("kill-build")
    commit = place.push(place.files(Dockerfile=SLOW.format(uuid4())))
    return Victim(place, commit, "build", lambda: "began-42" in place.log(commit))


def _held(town: Town, name: str, operation: str, *, after: bool) -> Victim:
    place = town.place(f"kill-{name}")
    hold = town.gate.hold(operation, place.function, after=after)
    return Victim(place, place.push(), name.partition("-")[0], hold.reached.is_set, hold)


def _moved(place: Place, *, after: bool) -> Victim:
    hold = place.town.gate.hold("UpdateAlias", place.function, after=after)
    commit = place.push(place.files("two"))
    return Victim(place, commit, "release", hold.reached.is_set, hold, versions=2)


def _told(town: Town) -> Victim:
    """A run that has ended, and GitHub does not know yet."""
    place = town.place("kill-told")
    hold = town.gate.hold("CreateAlias", place.function)
    commit = place.push()
    until(hold.reached.is_set, 60, lambda: place.story(commit))
    path = f"^/repos/{place.repository}/statuses/"
    fault = town.github.fail_next("POST", path, delay=60, drop_connection=True)
    hold.open()
    return Victim(place, commit, "", lambda: fault.struck == 1)


def _await(victims: dict[str, Victim]) -> None:
    for name, victim in victims.items():
        until(victim.struck, 60, lambda n=name, v=victim: f"{n}\n{v.place.story(v.commit)}")


def _strike(town: Town, victims: dict[str, Victim]) -> None:
    """Wait until every run stands where it shall be killed, kill the worker, and start it again."""
    _await(victims)
    for victim in victims.values():
        victim.task = victim.place.facts(victim.commit)["nonce"]
    town.kill_worker()
    for name, victim in victims.items():
        stages = victim.place.run(victim.commit)["stages"]
        running = [stage["name"] for stage in stages if stage["state"] == "running"]
        assert running == [victim.stage] * bool(victim.stage), f"{name}: {stages}"
        assert "success" not in victim.place.told(victim.commit), name
        if victim.hold:
            victim.hold.open(cut=True)
    town.slipway.start("worker")


@pytest.fixture(scope="module")
def victims(town: Town) -> dict[str, Victim]:
    """Runs of which each was killed in another place, in two strokes."""
    try:
        return _killed(town)
    finally:
        town.gate.release()


def _killed(town: Town) -> dict[str, Victim]:
    live = {name: town.place(f"kill-{name}") for name in MOVED}
    for place, commit in [(place, place.push()) for place in live.values()]:
        place.assert_deployed(commit)

    first = {name: _held(town, name, what, after=False) for name, what in BEFORE.items()}
    first |= {"test": _test(town), "checkout": _checkout(town)}
    _await(first)
    dead = first["test"].place.containers(first["test"].commit)
    first["build"] = _build(town)
    _strike(town, first)
    first["test"].place.end_check(first["test"].commit, dead)

    second = {name: _held(town, name, what, after=True) for name, what in AFTER.items()}
    second |= {name: _moved(live[name], after=after) for name, after in MOVED.items()}
    _await(second)
    second["told"] = _told(town)
    _strike(town, second)
    return first | second


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_killed_run_ends_as_if_nothing_had_happened(scenario, victims):
    """A run whose worker was killed there has one version, one move of its alias, one verdict.

    The task that was at work on it is known to be lost.
    """
    victim = victims[scenario]
    victim.place.assert_deployed(victim.commit, victim.versions)
    task = victim.place.task(victim.commit, victim.task)
    assert (task["state"], task["outcome"]) == ("failed", "lost")
    assert task["finished_at"] > task["started_at"]
    assert int(victim.place.facts(victim.commit)["losses"]) >= 1, "the kill has missed it"


def test_a_verdict_on_its_way_is_told_again(victims):
    """When the worker dies while it tells GitHub how a run has ended, GitHub still hears of it."""
    victim = victims["told"]
    victim.place.assert_deployed(victim.commit)
    assert "losses" not in victim.place.facts(victim.commit)


def test_a_killed_pool_process_is_replaced(town):
    """When only the process at work dies, as by the kernel's hand, the worker goes on without."""
    place = town.place("kill-child")
    hold = town.gate.hold("PublishVersion", place.function)
    commit = place.push()
    until(hold.reached.is_set, 60, lambda: place.story(commit))
    main = town.slipway.processes["worker"].pid
    for child in Path(f"/proc/{main}/task/{main}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    hold.open(cut=True)
    place.assert_deployed(commit)
    assert int(place.facts(commit)["losses"]) >= 1, "the kill has missed it"
    task = place.task(commit)
    assert (task["state"], task["outcome"]) == ("failed", "lost")
    assert town.slipway.processes["worker"].running


def test_a_worker_that_slept_can_not_undo_what_came_after(town):
    """A worker stopped just before its alias move and woken after its successors moves nothing."""
    place = town.place("kill-sleeper")
    place.assert_deployed(place.push())
    hold = town.gate.hold("UpdateAlias", place.function)
    older = place.push(place.files("two"))
    until(hold.reached.is_set, 60, lambda: place.story(older))
    sleeper = town.slipway.processes["worker"]
    os.killpg(sleeper.pid, signal.SIGSTOP)
    try:
        with Process(sleeper.command, town.slipway.folder / "second.log", env=sleeper.env):
            place.assert_deployed(older, versions=2)
            newer = place.push(place.files("three"))
            place.assert_deployed(newer, versions=3)
    finally:
        os.killpg(sleeper.pid, signal.SIGCONT)
    hold.open()
    until(lambda: "lease_lost" in sleeper.log.read_text(), 20, "the sleeper does not give up")
    place.assert_deployed(newer, versions=3)
    assert int(place.facts(older)["losses"]) >= 1
    assert place.task(older)["outcome"] == "lost"


def test_killed_runs_leave_nothing_behind(town, victims):
    """No container, image or folder of a killed visit is there a few seconds later."""
    town.assert_clean(*(one.place.run(one.commit)["id"] for one in victims.values()))
