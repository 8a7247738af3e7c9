"""Strategies: the names of CodeDeploy, others like them, and what is refused."""

import re
from pathlib import Path

import pytest

from config import server, strategy

REPOSITORY = '[[repositories]]\nname = "o/r"\n'
PAGE = Path(__file__).parents[2] / "docs" / "gradual.md"
TENTHS = tuple(range(10, 100, 10))


@pytest.mark.parametrize(
    ("name", "shares", "seconds"),
    [
        ("all-at-once", (), 0),
        ("canary-10-percent-5-minutes", (10,), 300),
        ("canary-10-percent-30-minutes", (10,), 1800),
        ("linear-10-percent-every-1-minute", TENTHS, 60),
        ("linear-10-percent-every-10-minutes", TENTHS, 600),
        ("linear-25-percent-every-30-seconds", (25, 50, 75), 30),
        ("linear-33-percent-every-1-second", (33, 66, 99), 1),
        ("canary-5-percent-2880-minutes", (5,), 172800),
    ],
)
def test_a_name_stands_for_steps(name, shares, seconds):
    """The shares before the last step, and how long each of them lasts."""
    assert strategy.parse(name) == (name, shares, seconds)


def test_each_name_of_codedeploy_is_known():
    """The nine names that CodeDeploy's users know can all be parsed."""
    assert len(strategy.NAMES) == 9
    assert [strategy.parse(name).name for name in strategy.NAMES] == list(strategy.NAMES)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "fast",
        "all-at-once ",
        "canary-0-percent-5-minutes",
        "canary-100-percent-5-minutes",
        "canary-10-percent-0-minutes",
        "canary-10-percent-5-minute",
        "canary-10-percent-1-minutes",
        "canary-10-percent-5-hours",
        "canary-10-percent-every-5-minutes",
        "linear-10-percent-2-minutes",
        "linear-10-percent-every--2-minutes",
        "Canary-10-percent-5-minutes",
    ],
)
def test_what_is_no_strategy_gets_the_list(name):
    """An unknown name is refused with every name that there is."""
    with pytest.raises(ValueError, match="expected one of") as refused:
        strategy.parse(name)
    assert all(known in str(refused.value) for known in strategy.NAMES)


@pytest.mark.parametrize(
    "name", ["canary-10-percent-2881-minutes", "linear-1-percent-every-30-minutes"]
)
def test_two_days_are_the_most(name):
    """A release that would take longer than two days is refused."""
    with pytest.raises(ValueError, match="longer than two days"):
        strategy.parse(name)


def test_alarms_without_steps_are_refused():
    """Alarms that nobody would watch are a mistake in the operator's file, told with its line."""
    text = f'[environments.a]\nbranch = "x"\nalarms = ["errors"]\n{REPOSITORY}'
    with pytest.raises(server.ConfigError, match=r'1: environments.a: .*add a "strategy"'):
        server.parse(text)
    gradual = text.replace("alarms", 'strategy = "canary-10-percent-5-minutes"\nalarms')
    assert server.parse(gradual).environments["a"].alarms == ("errors",)


def test_the_pages_example_can_be_copied():
    """The operator's file on the page of gradual releases is valid, and gradual."""
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (environment,) = server.parse(example).environments.values()
    assert strategy.parse(environment.strategy).shares
    assert environment.alarms
