"""Odd values in the query of every page and of every path of the API."""

from urllib.parse import quote

import pytest
from redis import Redis

from tests.dashboard.conftest import Reader
from tests.dashboard.worker import Work

FILTERS = ("repository", "branch", "environment", "state", "cursor")
API_FILTERS = (*FILTERS, "commit", "purpose", "since", "until", "limit")
QUERIES = {
    "/runs": (*FILTERS, "trail"),
    "/runs/{run}/live": ("after", "line"),
    "/sign-in": ("next",),
    "/api/v1/runs": API_FILTERS,
    "/api/v1/runs/{run}/log": ("after",),
    "/api/v1/runs/{run}/events": ("after",),
    "/api/v1/environments/sandbox": ("refresh",),
    "/api/v1/environments/sandbox/releases": ("limit", "offset"),
}
ASKED = [(path, name) for path, names in QUERIES.items() for name in (*names, "wat")]
NUMBERS = ("-1", "0", "+1", "1e5", "1e400", "0x1", "1_000", "²", "٣", "nan", "9" * 19, "9" * 5000)
PAIRS = ("1-2", "0-0", "1-0-0", "-", "--", "1-18446744073709551615", "1-18446744073709551616")
TIMES = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59")
TEXTS = ("", " ", "\0", "a\0b", "*", "(1", "\r\nX: y", "//example.com", "x" * 5000)
NO_UTF_8 = ("%ff", "%c0%80")
ODD = (*map(quote, (*NUMBERS, *PAIRS, *TIMES, *TEXTS)), *NO_UTF_8)


@pytest.mark.parametrize(("path", "name"), ASKED)
def test_no_odd_value_is_our_fault(ann: Reader, redis: Redis, path: str, name: str) -> None:
    """Once, twice or before another one, a value is taken or refused, and never is a 500."""
    run = Work(redis).say("hello\n").end()
    address = path.format(run=run.id)
    with ann.get(address) as answer:
        assert answer.status_code in (200, 303)
    for odd in ODD:
        for query in (f"{name}={odd}", f"{name}={odd}&{name}={odd}", f"{name}={odd}&{name}=1"):
            with ann.get(f"{address}?{query}") as answer:
                assert answer.status_code < 500, query[:80]
