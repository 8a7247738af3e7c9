"""Addresses that there are not, and counters that never struck."""

import re
from pathlib import Path

import pytest

from tests.dashboard.conftest import Reader
from workers.ledger.history import COUNTERS

LUA = Path(__file__).parents[2] / "workers" / "ledger" / "lua"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/runs/a/b/c", "/webhooks"])
def test_a_browser_gets_a_page_for_an_unknown_address(stranger: Reader, ann: Reader, path) -> None:
    """For people with a session and without; it leads back, and is guarded as any other."""
    for reader in (stranger, ann):
        answer = reader.get(path, headers={"Accept": BROWSER})
        assert answer.status_code == 404
        assert answer.content_type.startswith("text/html")
        assert '<a href="/runs">All runs</a>' in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "application/problem+json"])
def test_all_others_get_a_problem(stranger: Reader, accept: str) -> None:
    """What does not name HTML gets RFC 9457's JSON."""
    answer = stranger.get("/nowhere", headers={"Accept": accept} if accept else {})
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == 404


def test_a_browser_at_an_address_of_the_api_gets_its_answer(ann: Reader) -> None:
    """An unknown run of a known address is the API's to tell."""
    answer = ann.get("/api/v1/runs/none", headers={"Accept": BROWSER})
    assert answer.content_type == "application/problem+json"


def test_counters_that_never_struck_are_there_at_zero(stranger: Reader) -> None:
    """Else `increase()` has nothing to begin from, and an alert stays silent."""
    text = stranger.text("/metrics")
    for name in ("leases_lost", "versions_pruned", "aliases_repaired", "deliveries_repeated"):
        assert f"slipway_{name}_total 0.0\n" in text
    for state in ("succeeded", "failed", "cancelled", "superseded"):
        assert f'slipway_runs_ended_total{{state="{state}"}} 0.0\n' in text


def test_all_that_is_counted_is_among_the_counters() -> None:
    """A new counter can't be forgotten."""
    scripts = "".join(path.read_text() for path in LUA.rglob("*.lua"))
    counted = set(re.findall(r"KEY\.METRICS, '(\w+)'", scripts)) - {"runs_"}
    assert counted
    assert counted <= set(COUNTERS)
