"""The way of an order through the house: how many rooms a plain deploy enters."""

import sys
import threading

from scripts.count_house import Walk
from tests.hostile.gate import files

# On the two floors where work is done; fewer is better.
MOST_ROOMS, MOST_LOOSE = 16, 3


def test_an_order_stays_in_few_rooms(gate):
    """A push that builds, publishes and releases one function, counted call by call."""
    inside, repository = gate.make(), gate.repository("plain")
    walk = Walk()
    threading.setprofile(walk.seen)
    sys.setprofile(walk.seen)
    try:
        run = gate.pushed(inside, repository, files())
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert run.state == "succeeded", inside.log(run.id)
    print(walk)
    assert {"workers/ledger", "workers/docker", "workers/aws", "workers/stages"} <= walk.rooms
    rooms = {one for one in walk.rooms if not one.startswith("config/")}
    assert len(rooms) <= MOST_ROOMS, str(walk)
    assert len(rooms & set(walk.loose)) <= MOST_LOOSE, str(walk)
