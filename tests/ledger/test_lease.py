"""One worker at a time works on a run, and a late one can change nothing."""

import time
from threading import Event

import pytest

from tests.orders import order
from workers.ledger import MAX_LOSSES, Refusal, keys
from workers.ledger.model.errors import BusyError, CancelledError, StoppedError
from workers.ledger.model.run import StageState, State


def test_a_leased_run_is_running_and_held(book):
    """The second worker that asks for a run is told that it is held."""
    run_id = book.take_on()
    book.leased(run_id)
    assert book.history.run(run_id).state is State.RUNNING
    assert book.try_lease(run_id, "w2") == Refusal("held")


def test_asking_again_with_the_same_nonce_gives_the_same_lease(book):
    """A worker whose answer was lost asks again and still has its lease, with one fence."""
    run_id = book.take_on()
    first, again = book.leased(run_id), book.leased(run_id)
    assert first.fence == again.fence


def test_a_worker_takes_no_more_runs_than_its_capacity(book):
    """Slots beyond the capacity stay free for reports and sweeps."""
    runs = [book.take_on(order(commit=f"{n:040x}")) for n in range(3)]
    book.leased(runs[0], capacity=2)
    book.leased(runs[1], nonce="n2", capacity=2)
    assert book.lease(runs[2], "w1", "n3", seconds=30, capacity=2) == Refusal("full")
    assert book.try_lease(runs[2], "w2") != Refusal("full")


def test_an_expired_lease_passes_on_with_a_higher_fence(book):
    """A dead worker's run is taken over, and the dead worker's writes are refused."""
    run_id = book.take_on()
    late = book.leased(run_id, seconds=0.05)
    time.sleep(0.1)
    successor = book.leased(run_id, "w2")
    assert int(successor.fence) > int(late.fence)
    assert book.history.run(run_id).losses == 1
    stages = book.history.run(run_id).stages
    for write in (
        lambda: late.write(pipeline="x"),
        lambda: late.stages(stages),
        lambda: late.finish(State.SUCCEEDED, stages),
        lambda: late.park(State.QUEUED, stages, delay=0, queue="build"),
    ):
        with pytest.raises(StoppedError):
            write()
    late.say("test", "a word from the dead", 1000)
    assert book.history.log(run_id) == []
    assert book.history.run(run_id).state is State.RUNNING


def _lost(book, task_id):
    task = book.history.task(task_id)
    return task["state"], task.get("outcome"), task.get("finished_at", "") >= task["started_at"]


@pytest.mark.parametrize("cancelled", [False, True])
def test_the_task_of_a_lost_worker_is_lost(book, cancelled):
    """Whoever takes the run over says so, also when somebody asked for its end meanwhile."""
    run_id = book.take_on()
    book.try_lease(run_id, nonce=run_id, seconds=0.05)
    assert book.history.task(run_id)["state"] == "started"
    if cancelled:
        assert book.cancel(run_id, "cancelled by ada") == "asked"
    time.sleep(0.1)
    successor = book.ring("advance", run_id, "build")
    book.try_lease(run_id, "w2", successor)
    assert _lost(book, run_id) == ("failed", "lost", True)
    assert book.history.task(successor)["state"] == "started"


def test_the_task_that_loses_a_run_once_too_often_is_lost(book):
    """Also when nobody takes its run over, since that ends."""
    run_id = book.take_on()
    tasks = [run_id, *(book.ring("advance", run_id, "build") for _ in range(MAX_LOSSES))]
    for task in tasks:
        book.try_lease(run_id, task, nonce=task, seconds=0.02)
        time.sleep(0.05)
    assert book.try_lease(run_id, "last") == Refusal("ended")
    assert [_lost(book, task) for task in tasks] == [("failed", "lost", True)] * len(tasks)


def test_a_task_that_is_delivered_again_is_not_lost(book):
    """The same task goes on with its run after its lease was over."""
    run_id = book.take_on()
    for _ in range(2):
        book.try_lease(run_id, nonce=run_id, seconds=0.05)
        time.sleep(0.1)
    assert book.history.run(run_id).losses == 1
    assert book.history.task(run_id)["state"] == "started"


def test_a_lost_task_that_is_forgotten_stays_so(book):
    """A week later no half of it comes back."""
    run_id = book.take_on()
    book.try_lease(run_id, nonce=run_id, seconds=0.05)
    time.sleep(0.1)
    book.redis.delete(keys.task(run_id))
    book.leased(run_id, "w2")
    assert book.history.task(run_id) is None


def test_a_run_that_kills_its_workers_is_ended(book):
    """After three lost workers the run ends with the reason, its open stage failed."""
    run_id = book.take_on()
    for n in range(MAX_LOSSES + 1):
        lease = book.leased(run_id, f"w{n}", seconds=0.02)
        run = book.history.run(run_id)
        opened = run.stages[0].model_copy(update={"state": StageState.RUNNING})
        lease.stages((opened, *run.stages[1:]))
        time.sleep(0.05)
    assert book.try_lease(run_id, "last") == Refusal("ended")
    run = book.history.run(run_id)
    assert (run.state, run.fault) == (State.FAILED, "ours")
    assert "lost" in run.error
    assert run.stages[0].state is StageState.FAILED
    assert {stage.state for stage in run.stages[1:]} == {StageState.SKIPPED}


def test_a_heartbeat_that_hangs_stops_the_work(book):
    """When Redis does not answer in time, the worker stops before its lease can be another's."""
    lease = book.leased(book.take_on(), seconds=1)
    answer = Event()
    scripts, lease._scripts = lease._scripts, lambda *_, **__: answer.wait(30) and ("kept", "")
    with lease.kept():
        lease.check()
        time.sleep(0.9)
        with pytest.raises(StoppedError):
            lease.check()
        answer.set()
        lease._scripts = scripts


def test_heartbeats_keep_a_lease_beyond_its_seconds(book):
    """Work that takes longer than a lease keeps it while heartbeats come."""
    run_id = book.take_on()
    lease = book.leased(run_id, seconds=0.4)
    with lease.kept():
        time.sleep(1.0)
        lease.check()
        assert book.try_lease(run_id, "w2") == Refusal("held")


def test_a_heartbeat_hears_that_the_run_is_cancelled(book):
    """A cancelled run's worker stops at its next check, with the words of who asked."""
    run_id = book.take_on()
    lease = book.leased(run_id, seconds=0.4)
    assert book.cancel(run_id, "cancelled by ada") == "asked"
    with lease.kept():
        time.sleep(0.3)
        with pytest.raises(CancelledError, match="by ada"):
            lease.check()


def test_a_heartbeat_hears_that_the_lease_is_lost(book):
    """A worker that was paused beyond its lease stops instead of going on beside another."""
    run_id = book.take_on()
    lease = book.leased(run_id, seconds=0.6)
    book.redis.zadd(keys.LEASES, {run_id: 0})
    book.leased(run_id, "w2")
    with lease.kept():
        time.sleep(0.4)
        with pytest.raises(StoppedError):
            lease.check()


def test_a_queued_run_is_cancelled_at_once(book):
    """Nobody works on it, so nobody need be asked."""
    run_id = book.take_on()
    assert book.cancel(run_id, "cancelled by ada") == "cancelled"
    run = book.history.run(run_id)
    assert run.state is State.CANCELLED
    assert {stage.state for stage in run.stages} == {StageState.SKIPPED}
    assert book.try_lease(run_id) == Refusal("ended")
    assert book.cancel(run_id, "again") == "ended"
    assert book.cancel("nothing", "again") == "gone"


def test_a_parked_run_waits_for_its_time(book):
    """A run given back with a delay is not taken before it is over."""
    run_id = book.take_on()
    lease = book.leased(run_id)
    stages = book.history.run(run_id).stages
    lease.park(State.QUEUED, stages, delay=0.2, queue="deploy", why="AWS sleeps", retries=2)
    assert book.try_lease(run_id) == Refusal("early")
    run = book.history.run(run_id)
    assert (run.error, run.retries) == ("AWS sleeps", 2)
    time.sleep(0.25)
    assert book.overdue(0).runs == [(run_id, "deploy")]
    book.leased(run_id, "w2").finish(State.SUCCEEDED, stages)
    assert book.history.run(run_id).error is None


def test_finishing_twice_is_fine(book):
    """A worker whose answer was lost finishes again, and nothing changes."""
    run_id = book.take_on()
    lease = book.leased(run_id)
    stages = book.history.run(run_id).stages
    lease.finish(State.SUCCEEDED, stages)
    lease.finish(State.SUCCEEDED, stages)
    assert book.history.counters()["runs_succeeded"] == 1


def test_a_lock_is_one_runs_at_a_time(book):
    """The second run that wants a function's lock hears who has it, and gets it afterwards."""
    first = book.leased(book.take_on())
    second = book.leased(book.take_on(order(commit="c" * 40)), "w2")
    refused = pytest.raises(BusyError, match=first.run_id)
    with first.locked("function:Loader"), refused, second.locked("function:Loader"):
        pass
    with second.locked("function:Loader"):
        pass


def test_a_dead_runs_lock_is_free(book):
    """A lock whose holder lost its lease is taken over, and not given back by the late one."""
    first = book.leased(book.take_on(), seconds=0.05)
    second = book.leased(book.take_on(order(commit="c" * 40)), "w2")
    with first.locked("function:Loader"):
        time.sleep(0.1)
        with second.locked("function:Loader"):
            first._ours("unlock", name="function:Loader")
            third = book.leased(book.take_on(order(commit="d" * 40)), "w3")
            with pytest.raises(BusyError), third.locked("function:Loader"):
                pass
