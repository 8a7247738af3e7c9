"""Accepting as coroutines: many under way at once, each told what became of it, and no other."""

import asyncio
import os
import signal
import time

import pytest
from redis import Redis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from local.redis import EmbeddedRedis
from tests.ledger.conftest import STAGES
from tests.orders import order
from tests.stand_ins.late_redis import LateRedis
from workers.ledger import Accepted, Ledger, NotDurableError, keys
from workers.ledger.asynchronous import MOST_AT_ONCE, AsyncLedger


class Loop:
    """An event loop with a ledger in it, as the web process has it."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.answers: dict[str, object] = {}
        self.tasks: set[asyncio.Task] = set()
        self.runner.run(self._make(url))

    async def _make(self, url: str) -> None:
        self.ledger = AsyncLedger(url)

    def accept(self, delivery: str, commit: str = "a" * 40) -> asyncio.Task:
        """Ask; the answer comes under the delivery's name."""
        task = self.runner.get_loop().create_task(self._accept(delivery, commit))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def _accept(self, delivery: str, commit: str) -> None:
        try:
            taken = await self.ledger.accept(order(commit=commit), delivery, STAGES, "build")
        except (RedisError, NotDurableError) as error:
            self.answers[delivery] = error
        else:
            self.answers[delivery] = taken

    def turn(self, seconds: float = 0.01) -> None:
        """Let everything happen for a while."""
        self.runner.run(asyncio.sleep(seconds))

    def until(self, count: int, seconds: float = 5) -> dict[str, object]:
        """Turn until so many answers have come."""
        end = time.monotonic() + seconds
        while len(self.answers) < count and time.monotonic() < end:
            self.turn()
        assert len(self.answers) == count
        return self.answers

    def close(self) -> None:
        """Let everything go."""
        self.runner.run(self.ledger.close())
        self.runner.close()


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
    count = 3 * MOST_AT_ONCE
    before = {client["id"] for client in redis.client_list()}
    for number in range(count):
        loop.accept(f"d{number}", f"{number:040x}")
    taken = loop.until(count)
    assert {type(one) for one in taken.values()} == {Accepted}
    assert len({one.run_id for one in taken.values()}) == count
    assert redis.zcard(keys.RUNS) == count
    assert len({client["id"] for client in redis.client_list()} - before) <= MOST_AT_ONCE


def test_a_connection_is_used_again(loop, redis):
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
    try:
        began = time.monotonic()
        for number in range(2 * MOST_AT_ONCE):
            own_loop.accept(f"d{number}", f"{number:040x}")
        taken = own_loop.until(2 * MOST_AT_ONCE)
        assert time.monotonic() - began < 1
        assert all(isinstance(one, RedisError) for one in taken.values())
    finally:
        os.kill(own_redis.pid, signal.SIGCONT)
    own_loop.answers.clear()
    own_loop.accept("back", "b" * 40)
    assert isinstance(own_loop.until(1)["back"], Accepted)


def test_a_redis_that_is_gone_fails_them_at_once(own_loop, own_redis):
    """No connection: an error; when Redis is back, so is the way to it."""
    own_redis.kill()
    own_loop.accept("gone")
    assert isinstance(own_loop.until(1)["gone"], RedisError)
    own_redis.start()
    own_loop.answers.clear()
    own_loop.accept("back", "b" * 40)
    assert isinstance(own_loop.until(1)["back"], Accepted)


def test_a_restart_between_two_deliveries_is_not_noticed(own_loop, own_redis):
    """The old connection's end is seen before anything is sent over it."""
    own_redis.restart()
    own_loop.turn(0.1)
    own_loop.accept("next", "b" * 40)
    taken = own_loop.until(1)["next"]
    assert isinstance(taken, Accepted), repr(taken)


def test_a_redis_without_a_file_is_refused(tmp_path):
    """It could lose what it takes, so it takes nothing; the error says what to change."""
    with EmbeddedRedis(tmp_path / "redis", appendonly="no") as server:
        loop = Loop(server.url)
        loop.accept("d1")
        assert "append-only" in str(loop.until(1)["d1"])
        loop.close()


def test_an_answer_waits_for_the_disk():
    """A server that syncs later is asked to confirm, each write over the connection it came by."""
    with LateRedis() as server:
        loop = Loop(server.url)
        for number in range(3):
            loop.accept(f"d{number}", f"{number:040x}")
        until = time.monotonic() + 5
        while server.asked.count("WAITAOF") < 3 and time.monotonic() < until:
            loop.turn()
        assert server.asked.count("WAITAOF") == server.asked.count("EVALSHA") == 3
        assert server.connections == 3
        loop.turn(0.1)
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
        loop.close()


async def mixed_up(url: str) -> list[str]:
    """Two commands over one connection of which the first is given up: what the second hears."""
    pool = ConnectionPool.from_url(url, decode_responses=True)
    line = await pool.get_connection()
    await line.send_command("ECHO", "the first one's")
    await pool.release(line)
    # Not by the pool: it looks whether anything is left to be read, which may come later.
    await line.send_command("ECHO", "the second one's")
    heard = await line.read_response()
    await pool.aclose()
    return heard


def test_a_reply_that_comes_too_late_strikes(own_redis):
    """The guard off: a connection that is kept hands it to the next one."""
    assert asyncio.run(mixed_up(own_redis.url)) == "the first one's"


@pytest.mark.parametrize("given_up", ["by the clock", "by whoever asked"])
def test_a_reply_that_comes_too_late_comes_to_nobody(given_up):
    """A delivery that is given up takes its connection with it: the next one hears of its own."""
    with LateRedis() as server:
        loop = Loop(server.url)
        task = loop.accept("slow", "a" * 40)
        loop.turn(0.3)
        assert server.asked[-1] == "WAITAOF"
        if given_up == "by the clock":
            assert isinstance(loop.until(1)["slow"], RedisTimeoutError)
        else:
            task.cancel()
            loop.turn()
        server.may_sync.set()
        for number in range(3):
            loop.accept(f"d{number}", f"{number:040x}")
        loop.until(len(loop.answers) + 3 - sum(name != "slow" for name in loop.answers))
        assert server.connections == 4
        taken = [one for one in loop.answers.values() if isinstance(one, Accepted)]
        assert len({one.run_id for one in taken}) == 3
        loop.close()
