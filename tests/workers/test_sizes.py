"""Sizes read as people expect them."""

import pytest

from config.units import size


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1234567, "1.2 MB"), (5e9, "5.0 GB")],
)
def test_a_size_has_the_unit_that_fits(count, text):
    """Small things are not rounded away."""
    assert size(count) == text
