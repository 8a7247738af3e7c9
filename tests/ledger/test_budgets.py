"""Budgets that processes share: never more turns in a second than the rate, whoever asks."""

import subprocess
import sys
import time

from workers.ledger import keys
from workers.ledger.budgets import Budgets
from workers.ledger.connection import hasty

RATE = 14
CALLER = """
import sys, time
from workers.ledger.budgets import Budgets
from workers.ledger.connection import hasty
url, count, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
budgets = Budgets(hasty(url))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(count):
    asked = time.time()
    print(asked, budgets.reserve("place", rate), flush=True)
"""


def turns(server, processes, count):
    """The moments that so many processes are given, asking all at once; earliest and latest."""
    command = [sys.executable, "-c", CALLER, server.url, str(count), str(RATE)]
    callers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for caller in callers:
        assert caller.stdout.readline() == "ready\n"
    for caller in callers:
        caller.stdin.write("go\n")
        caller.stdin.flush()
    lines = [line for caller in callers for line in caller.communicate()[0].splitlines()]
    return sorted(float(asked) + float(wait) for asked, wait in map(str.split, lines))


def test_no_second_has_more_turns_than_the_rate(redis, redis_server):
    """Four processes that ask for a hundred turns at once get fourteen in any one second."""
    given = turns(redis_server, processes=4, count=25)
    assert len(given) == 100
    rows = sorted(float(one) for one in redis.lrange(f"{keys.BUDGET}place", 0, -1))
    assert len(rows) == RATE
    assert rows[-1] - rows[0] < 1000
    # Times of asking are the callers' own: give their clocks' reading a little room.
    for first, beyond in zip(given, given[RATE:], strict=False):
        assert beyond - first > 0.9


def test_a_free_budget_costs_a_call_to_redis(redis, redis_server):
    """A turn that is free takes about as long as asking Redis."""
    budgets = Budgets(hasty(redis_server.url))
    budgets.reserve("place", 1000)
    start = time.perf_counter()
    assert [budgets.reserve("place", 1000) for _ in range(200)] == [0] * 200
    assert (time.perf_counter() - start) / 200 < 0.02


def test_a_pause_moves_every_turn_behind_it(redis, redis_server):
    """After a pause the turns go on at the rate; a shorter pause shortens nothing."""
    budgets = Budgets(hasty(redis_server.url))
    budgets.pause("place", 5)
    budgets.pause("place", 1)
    waits = [budgets.reserve("place", RATE) for _ in range(RATE + 1)]
    assert 4 < waits[0] <= 5
    assert waits[-1] - waits[0] > 0.9
    assert budgets.reserve("another place", RATE) == 0


def test_a_clock_that_was_set_back_stops_nobody(redis, redis_server):
    """Turns an hour ahead are not waited for."""
    budgets = Budgets(hasty(redis_server.url))
    ahead = (time.time() + 3600) * 1000
    redis.lpush(f"{keys.BUDGET}place", *[str(ahead)] * RATE)
    assert budgets.reserve("place", RATE) == 0


def test_a_redis_that_is_away_is_asked_again_later(tmp_path):
    """Nobody can say while it is gone; once it is back, its word counts again."""
    from local.redis import EmbeddedRedis
    from workers.ledger import budgets as module

    with EmbeddedRedis(tmp_path / "redis") as server:
        budgets = Budgets(hasty(server.url))
        assert budgets.reserve("place", RATE) == 0
        server.kill()
        assert budgets.reserve("place", RATE) is None
        server.start()
        assert budgets.reserve("place", RATE) is None
        deadline = time.monotonic() + module.AWAY_SECONDS + 5
        while budgets.reserve("place", RATE) is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
