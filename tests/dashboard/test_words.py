"""Times in words."""

import pytest

from config import units
from service.dashboard import words


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "\u2013"),
        (0, "0 ms"),
        (1500, "1.5 s"),
        (61_000, "1 min 1 s"),
    ],
)
def test_durations_are_short(milliseconds: int | None, text: str) -> None:
    """They are as exact as is useful."""
    assert words.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-60, "just now"),
        (3, "just now"),
        (30, "30 seconds ago"),
        (60, "1 minute ago"),
        (7300, "2 hours ago"),
        (86_400 * 3, "3 days ago"),
        (86_400 * 800, "2 years ago"),
    ],
)
def test_moments_are_told_from_now(seconds: int, text: str) -> None:
    """A clock that is a little ahead does no harm."""
    assert units.ago(units.now() - seconds * 1000) == text
