"""A run's state changes by one way, which knows the table."""

import re
from itertools import product

import pytest
from redis.exceptions import ResponseError

from tests.stand_ins.slipway import ROOT
from workers.ledger import keys
from workers.ledger.model.run import BEGINS, TRANSITIONS, State
from workers.ledger.scripts import composed, source

LUA = ROOT / "workers" / "ledger" / "lua"
MOVE = composed(
    "-- @include move\n-- @arguments id before after\n"
    "move(id, before, after, 'queue', 'deploy')\nreturn 1"
)
ALL = ["", *State]


def may(before, after):
    """Whether the table has a move."""
    return after == BEGINS if before == "" else after in TRANSITIONS[before]


def put(book, state):
    """A run that is in a state; its id."""
    run_id = book.take_on()
    if state:
        book.redis.hset(keys.run(run_id), "state", state)
    else:
        book.redis.hdel(keys.run(run_id), "state")
    return run_id


@pytest.mark.parametrize(("before", "after"), [pair for pair in product(ALL, State) if may(*pair)])
def test_a_move_of_the_table_is_made(book, before, after):
    """The new state, and what is written with it."""
    run_id = put(book, before)
    assert book.redis.eval(MOVE, 0, run_id, before, after) == 1
    assert book.redis.hmget(keys.run(run_id), "state", "queue") == [after, "deploy"]


@pytest.mark.parametrize(
    ("before", "after"), [pair for pair in product(ALL, State) if not may(*pair)]
)
def test_any_other_move_is_refused(book, before, after):
    """The refusal names the run and the move; nothing is written."""
    run_id = put(book, before)
    known = book.redis.hgetall(keys.run(run_id))
    with pytest.raises(ResponseError, match=f"run {run_id} may not go from {before} to {after}"):
        book.redis.eval(MOVE, 0, run_id, before, after)
    assert book.redis.hgetall(keys.run(run_id)) == known


def test_a_move_from_where_the_run_is_not_is_refused(book):
    """Whoever is mistaken about the run changes nothing."""
    run_id = book.take_on()
    known = book.redis.hgetall(keys.run(run_id))
    with pytest.raises(ResponseError, match="is queued, so it does not go from waiting to running"):
        book.redis.eval(MOVE, 0, run_id, "waiting", "running")
    assert book.redis.hgetall(keys.run(run_id)) == known


def test_a_script_that_is_asked_for_a_wrong_move_writes_nothing(book):
    """A park into the state that the run is in: the lease stays, and what is due."""
    run_id = book.take_on()
    lease = book.leased(run_id)
    known = book.redis.hgetall(keys.run(run_id))
    with pytest.raises(ResponseError, match="may not go from running to running"):
        lease.park(State.RUNNING, (), delay=0, queue="deploy")
    assert book.redis.hgetall(keys.run(run_id)) == known
    assert book.redis.zscore(keys.LEASES, run_id)
    assert not book.redis.zcard(keys.DUE)


@pytest.mark.parametrize("write", ["write", "awaits"])
def test_no_stage_writes_the_state(book, write):
    """A field of that name is refused, with all that was to be written beside it."""
    run_id = book.take_on()
    lease = book.leased(run_id)
    named = ("task",) if write == "awaits" else ()
    with pytest.raises(ResponseError, match="is changed by move alone"):
        getattr(lease, write)(*named, tree="abc", state="succeeded")
    assert book.redis.hmget(keys.run(run_id), "state", "tree") == ["running", None]


def writes(text):
    """Whether Lua text writes a hash's field `state`."""
    return bool(re.search(r"'HM?SET(?:NX)?'(?:[^()]|\([^()]*\))*'state'", text))


def test_no_script_writes_a_state_otherwise():
    """One line of all scripts writes that of a run, another one that of a task."""
    assert writes("redis.call('HSET', run_key(id), 'fence', fence,\n  'state', 'running')")
    assert not writes("redis.call('HMGET', key, 'state')")
    found = [path for path in LUA.rglob("*.lua") if writes(path.read_text())]
    assert sorted(path.name for path in found) == ["move.lua", "task.lua"]
    for path in found:
        assert len(re.findall("'HSET'", path.read_text())) == 1


@pytest.mark.parametrize("path", sorted(LUA.glob("*.lua")), ids=lambda path: path.stem)
def test_a_script_includes_what_it_calls(path):
    """Each function that the house has and a script calls is before it, once."""
    text = source(path.stem)
    bare = re.sub(r"--.*", "", text)
    defined = re.findall(r"^local function (\w+)", bare, re.MULTILINE)
    assert len(defined) == len(set(defined))
    shared = "".join(one.read_text() for one in (LUA / "shared").glob("*.lua"))
    for name in re.findall(r"^local function (\w+)", shared, re.MULTILINE):
        if re.search(rf"(?<![\w.]){name}\(", bare):
            assert name in defined, name
