"""Scripts have their arguments and their keys by name."""

import re

import pytest

from tests.ledger.test_moves import LUA
from workers.ledger import keys
from workers.ledger.scripts import composed, ordered


def test_arguments_go_by_their_names():
    """However they are given, each stands where the script looks for it."""
    given = {"token": "t", "milliseconds": 5, "name": "x"}
    assert ordered("upkeep_lock", given) == ["x", "t", 5]


@pytest.mark.parametrize(
    ("given", "odd"),
    [
        ({"name": "x"}, "token"),
        ({"name": "x", "token": "t", "tokne": "t"}, "tokne"),
    ],
)
def test_a_missing_or_unknown_argument_is_named(given, odd):
    """Nothing is sent to Redis, where it would be nil."""
    with pytest.raises(TypeError, match=odd):
        ordered("upkeep_unlock", given)


def test_any_number_of_arguments_is_a_table(redis):
    """Many thousands fit, more than Lua's `unpack` takes."""
    text = composed("-- @arguments first *rest\nreturn {first, #rest, rest[1], rest[#rest]}")
    many = [str(number) for number in range(20_000)]
    assert redis.eval(text, 0, "a", *many) == ["a", 20_000, "0", "19999"]
    assert redis.eval(text, 0, "a") == ["a", 0]


def test_a_key_is_what_the_ledger_calls_it(redis):
    """Lua's `KEY.RUN` is Python's `keys.RUN`; a name that is none is refused."""
    assert redis.eval(composed("return KEY.RUN .. 'x'"), 0) == keys.run("x")
    with pytest.raises(AttributeError):
        composed("return KEY.RUM .. 'x'")


@pytest.mark.parametrize("path", sorted(LUA.rglob("*.lua")), ids=lambda path: path.stem)
def test_no_script_spells_a_key_or_counts_its_arguments(path):
    """Names of keys stand in `keys.py` alone, and no argument has a number."""
    text = re.sub(r"--.*", "", path.read_text())
    assert not re.search(r"slipway:|ARGV", text)
