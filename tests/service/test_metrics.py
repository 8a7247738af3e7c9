"""Every number that the service gives is in the manual."""

import re
from pathlib import Path

import requests

from tests.service.conftest import door, slipway, web_redis

__all__ = ["door", "slipway", "web_redis"]
MANUAL = Path(__file__).parents[2] / "docs" / "operating.md"


def test_every_metric_is_in_the_manual(door, slipway):
    """By the name that Prometheus reads; counters are there before they strike."""
    text = requests.get(f"{slipway.url}/metrics", timeout=5).text
    names = {
        re.split(r"[{ ]", line)[0]
        for line in text.splitlines()
        if line and not line.startswith("#")
    }
    assert "slipway_tokens_refused_total" in names
    told = MANUAL.read_text()
    assert [name for name in sorted(names) if f"`{name}" not in told] == []


def test_too_many_guesses_are_in_the_document(door, slipway):
    """Each endpoint that hears tokens says that it may answer 429, and when to come again."""
    spec = requests.get(f"{slipway.url}/openapi.json", timeout=5).json()
    for path, operations in spec["paths"].items():
        for operation in operations.values():
            assert ("429" in operation["responses"]) == path.startswith("/api/v1/"), path
    assert "429" in spec["components"]["responses"]
    manual = (MANUAL.parent / "api.md").read_text()
    assert "| 429 | too many wrong tokens" in manual
