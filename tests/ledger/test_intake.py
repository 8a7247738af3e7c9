"""Accepting without waiting: many under way over one connection, each told what became of it."""

import os
import queue
import selectors
import signal
import time

import pytest
from redis import Redis
from redis.exceptions import RedisError

from local.redis import EmbeddedRedis
from tests.ledger.conftest import STAGES
from tests.orders import order
from tests.stand_ins.late_redis import LateRedis
from workers.ledger import Accepted, Ledger, NotDurableError, keys
from workers.ledger.connection import hasty
from workers.ledger.intake import MOST_UNDER_WAY, Intake


class Loop:
    """An event loop around one intake, as the web process has it."""

    def __init__(self, url: str) -> None:
        self.selector = selectors.DefaultSelector()
        self.calls: queue.SimpleQueue = queue.SimpleQueue()
        self.redis = hasty(url)
        self.intake = Intake(self.redis, self.selector, self.calls.put)
        self.answers: dict[str, object] = {}

    def accept(self, delivery: str, commit: str = "a" * 40) -> None:
        """Ask; the answer comes under the delivery's name."""
        wanted = order(commit=commit)
        self.intake.accept(
            wanted, delivery, STAGES, "build", lambda taken: self.answers.update({delivery: taken})
        )

    def turn(self, seconds: float = 0.01) -> None:
        """Everything that is ready, once."""
        for key, _ in self.selector.select(seconds) if self.selector.get_map() else ():
            key.data(key.fileobj)
        while not self.calls.empty():
            self.calls.get()()
        self.intake.send()
        self.intake.tidy()

    def until(self, count: int, seconds: float = 5) -> dict[str, object]:
        """Turn until so many answers have come."""
        end = time.monotonic() + seconds
        while len(self.answers) < count and time.monotonic() < end:
            self.turn()
        assert len(self.answers) == count
        return self.answers

    def close(self) -> None:
        """Let everything go."""
        self.redis.close()
        self.selector.close()


@pytest.fixture
def loop(redis_server, redis):
    """A loop on the session's Redis, empty."""
    del redis
    running = Loop(redis_server.url)
    yield running
    running.close()


@pytest.fixture
def own_redis(tmp_path):
    """A Redis that the test may stop."""
    with EmbeddedRedis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def own_loop(own_redis):
    """A loop on that one, with an answer behind it."""
    running = Loop(own_redis.url)
    running.accept("first")
    running.until(1)
    running.answers.clear()
    yield running
    running.close()


def test_an_order_is_taken_as_by_the_waiting_way(loop, redis):
    """The run is there; the same delivery gets it again, by either way."""
    loop.accept("d1")
    taken = loop.until(1)["d1"]
    assert taken.fresh
    assert redis.exists(f"{keys.RUN}{taken.run_id}")
    again = Ledger(redis).accept(order(), "d1", STAGES, "build")
    assert again == Accepted(taken.run_id, fresh=False)


def test_many_are_under_way_at_once(loop, redis):
    """More than may be under way are asked at once: each gets a run of its own, none is lost."""
    count = 3 * MOST_UNDER_WAY
    for number in range(count):
        loop.accept(f"d{number}", f"{number:040x}")
    taken = loop.until(count)
    assert {type(one) for one in taken.values()} == {Accepted}
    assert len({one.run_id for one in taken.values()}) == count
    assert redis.zcard(keys.RUNS) == count
    assert not loop.intake.busy


def test_one_connection_is_enough(loop, redis):
    """Whatever comes goes over the connection that is there."""
    loop.accept("first", "f" * 40)
    loop.until(1)
    # Other tests of this process may have left connections of theirs.
    before = {client["id"] for client in redis.client_list()}
    for number in range(20):
        loop.accept(f"d{number}", f"{number:040x}")
        loop.until(number + 2)
    after = redis.client_list()
    assert {client["id"] for client in after} <= before
    assert "evalsha" in {client["cmd"] for client in after if client["idle"] == "0"}


def test_a_server_that_has_forgotten_the_script_is_told_again(own_loop, own_redis):
    """After SCRIPT FLUSH nothing fails, and nothing is taken twice."""
    with Redis.from_url(own_redis.url) as client:
        client.script_flush()
        for number in range(5):
            own_loop.accept(f"d{number}", f"{number:040x}")
        taken = own_loop.until(5)
        assert {type(one) for one in taken.values()} == {Accepted}
        assert client.zcard(keys.RUNS) == 6


def test_a_redis_that_hangs_fails_them_within_a_second(own_loop, own_redis):
    """What was sent and what waits behind it hear of it in time; afterwards all is well again."""
    os.kill(own_redis.pid, signal.SIGSTOP)
    began = time.monotonic()
    for number in range(2 * MOST_UNDER_WAY):
        own_loop.accept(f"d{number}", f"{number:040x}")
    taken = own_loop.until(2 * MOST_UNDER_WAY)
    assert time.monotonic() - began < 1
    assert all(isinstance(one, RedisError) for one in taken.values())
    own_loop.answers.clear()
    own_loop.accept("while it hangs")
    own_loop.until(1)
    assert time.monotonic() - began < 2
    os.kill(own_redis.pid, signal.SIGCONT)
    own_loop.answers.clear()
    own_loop.accept("back", "b" * 40)
    assert isinstance(own_loop.until(1)["back"], Accepted)


def test_a_redis_that_is_gone_fails_them_at_once(own_loop, own_redis):
    """No connection: an error; when Redis is back, so is the intake."""
    own_redis.kill()
    own_loop.accept("gone")
    assert isinstance(own_loop.until(1)["gone"], RedisError)
    own_redis.start()
    own_loop.turn()
    own_loop.answers.clear()
    own_loop.accept("back", "b" * 40)
    assert isinstance(own_loop.until(1)["back"], Accepted)


def test_a_restart_between_two_deliveries_is_not_noticed(own_loop, own_redis):
    """The old connection's end is seen before anything is sent over it."""
    own_redis.restart()
    own_loop.turn(0.1)
    own_loop.accept("next", "b" * 40)
    assert isinstance(own_loop.until(1)["next"], Accepted)


def test_an_answer_waits_for_the_disk():
    """A server that syncs later is asked to confirm, once for all that were sent together."""
    with LateRedis() as server:
        loop = Loop(server.url)
        for number in range(3):
            loop.accept(f"d{number}", f"{number:040x}")
        until = time.monotonic() + 5
        while "WAITAOF" not in server.asked and time.monotonic() < until:
            loop.turn()
        assert server.asked[-4:] == ["EVALSHA", "EVALSHA", "EVALSHA", "WAITAOF"]
        for _ in range(5):
            loop.turn()
        assert loop.answers == {}
        server.may_sync.set()
        assert {type(one) for one in loop.until(3).values()} == {Accepted}
        loop.close()


def test_what_is_not_on_disk_is_not_accepted():
    """A server that does not confirm: the delivery is to be sent again. So by the waiting way."""
    with LateRedis() as server:
        server.synced = 0
        server.may_sync.set()
        loop = Loop(server.url)
        loop.accept("d1")
        assert isinstance(loop.until(1)["d1"], NotDurableError)
        with pytest.raises(NotDurableError):
            Ledger(loop.redis).accept(order(), "d2", STAGES, "build")
        loop.close()
