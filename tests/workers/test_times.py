"""Lengths of time in words."""

import pytest

from config.units import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-0.005, "0 ms"),
        (0.999, "999 ms"),
        (1.0, "1 s"),
        (1.5, "1.5 s"),
        (9.97, "10 s"),
        (12.345, "12 s"),
        (61, "1 min 1 s"),
        (300, "5 min"),
        (7200, "2 h"),
        (3605, "1 h"),
        (86_400, "1 day"),
        (3600 * 26, "1 day 2 h"),
        (2_592_000, "30 days"),
        (86_400 * 2 + 59, "2 days"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(seconds, text):
    """It is as exact as is useful, and says no unit that is empty."""
    assert duration(seconds) == text
