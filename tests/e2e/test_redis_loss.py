"""kill -9 of Redis in the middle of runs: nothing that was accepted is lost."""

import time

import pytest

from tests.e2e.town import WAITING, pipeline, until

pytestmark = pytest.mark.e2e


def test_redis_is_killed_while_runs_are_at_work(town):
    """Runs under way and deliveries accepted a moment before end as if nothing had happened."""
    held, queued, late = (town.place(f"redis-{name}") for name in ("held", "queued", "late"))
    hold = town.gate.hold("PutObject", held.function)
    first = held.push()
    until(hold.reached.is_set, 60, lambda: held.story(first))
    second = queued.push()
    third = late.commit()

    town.redis.kill()
    began = time.monotonic()
    (refused,) = town.github.push_event(late.repository, "develop")
    assert refused.status_code == 503, refused.response_body
    assert refused.duration < 1.0, "the door must not hang"
    hold.open()
    time.sleep(max(0, began + 1 - time.monotonic()))
    town.redis.start()

    again = until(lambda: _taken(town, refused), 15, "the door does not open again")
    assert again.guid == refused.guid
    held.assert_deployed(first)
    queued.assert_deployed(second)
    late.assert_deployed(third)
    town.assert_clean(*(p.run(c)["id"] for p, c in ((held, first), (queued, second))))


def _taken(town, delivery):
    again = town.github.redeliver(delivery.id)
    return again if again.status_code == 202 else None


def test_redis_is_away_longer_than_a_lease(town):
    """A worker that can't keep its lease stops its work by itself; another visit finishes it."""
    place = town.place("redis-long")
    commit = place.push(place.files(slipway__toml=pipeline(place.function, WAITING)))
    until(lambda: "[test/unit] began" in place.log(commit), 60, lambda: place.story(commit))
    run_id, dead = place.run(commit)["id"], place.containers(commit)
    assert dead
    town.redis.kill()
    try:
        until(lambda: not town.containers(run_id), 12, "it goes on without a lease")
    finally:
        town.redis.start()
    place.end_check(commit, dead)
    place.assert_deployed(commit)
    assert int(place.facts(commit)["losses"]) >= 1, "the lease was not lost"
    town.assert_clean(run_id)
