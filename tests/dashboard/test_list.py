"""The list of runs."""

import re
import time

import pytest
from redis import Redis

from tests.dashboard.conftest import Reader
from tests.dashboard.worker import Work
from workers.ledger.model.run import State


def shown(page: str) -> list[str]:
    """The ids of the runs of a page, in its order."""
    return re.findall(r'class="row-link" href="/runs/([^"]+)"', page)


def test_the_front_door_leads_to_the_list(ann: Reader) -> None:
    """GET / goes on to /runs."""
    assert ann.get("/").headers["Location"] == "/runs"


def test_a_run_shows_what_it_is(ann: Reader, redis: Redis) -> None:
    """State in word and icon, repository, branch, commit, pull request, who, when, how long."""
    work = Work(redis, pull=42, ref="refs/heads/feature/x", environment=None)
    work.end(State.FAILED, "user", "a check failed")
    page = ann.text("/runs")
    assert 'class="badge tone-failed"><svg class="icon icon-failed"' in page
    for text in (">Failed<", "watchlist/movies-loader", "feature/x", ">check<", "#42", ">ada<"):
        assert text in page
    assert f">{work.order.commit[:7]}<" in page
    assert re.search(
        r'<time datetime="20[^"]+Z" title="20[-0-9]+ [:0-9]+ UTC">just now</time>', page
    )
    assert re.search(r'c-long number">\d+ ms<', page)


def test_the_newest_run_comes_first(ann: Reader, redis: Redis) -> None:
    """Runs stand in the order in which they were accepted, backwards."""
    ids = [Work(redis).id for _ in range(3)]
    assert shown(ann.text("/runs")) == ids[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("repository=watchlist/movies-store", "store"),
        ("repository=Watchlist/Movies-Store&branch=develop", "store"),
        ("branch=master", "production"),
        ("environment=production", "production"),
        ("environment=check", "check"),
        ("state=failed", "failed"),
        ("state=failed&environment=sandbox&branch=&repository=", "failed"),
    ],
)
def test_filters_narrow_the_list(ann: Reader, redis: Redis, query: str, found: str) -> None:
    """Each filter leaves only what it names, and stays in the form."""
    runs = {
        "store": Work(redis, repository="watchlist/movies-store"),
        "production": Work(redis, ref="refs/heads/master", environment="production"),
        "check": Work(redis, environment=None, ref="refs/heads/topic"),
        "failed": Work(redis).end(State.FAILED, "user", "why"),
    }
    page = ann.text(f"/runs?{query}")
    assert shown(page) == [runs[found].id]
    name, _, value = query.partition("&")[0].partition("=")
    assert f'value="{value}"' in page or f"selected>{value}" in page or "selected>check" in page
    assert ">Clear</a>" in page, name


@pytest.mark.parametrize(
    "query", ["state=lost", "cursor=x", "cursor=1-2", "trail=1-x", "branch=" + "b" * 400]
)
def test_a_filter_that_makes_no_sense_is_refused(ann: Reader, query: str) -> None:
    """Such a link gets a page that says so."""
    answer = ann.get(f"/runs?{query}")
    assert answer.status_code == 400
    assert answer.mimetype == "text/html"


def test_pages_go_on_and_back(ann: Reader, redis: Redis) -> None:
    """Older leads through all runs once, Newer leads back the same way."""
    ids = [Work(redis).id for _ in range(70)][::-1]
    path, pages = "/runs?branch=develop", []
    while path:
        page = ann.text(path)
        pages.append(shown(page))
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert [one for page in pages for one in page] == ids
    assert [len(page) for page in pages] == [30, 30, 10]
    for expected in pages[-2::-1]:
        path = re.search(r'rel="prev" href="([^"]+)"', page)[1].replace("&amp;", "&")
        assert "branch=develop" in path
        page = ann.text(path)
        assert shown(page) == expected
    assert 'rel="prev"' not in page


def test_an_empty_ledger_says_how_to_begin(ann: Reader) -> None:
    """Without runs, the page says what to enter at GitHub."""
    page = ann.text("/runs")
    assert "https://slipway.example/webhooks/github" in page
    assert "slipway hook install" in page
    assert "GITHUB_WEBHOOK_SECRET" in page


def test_filters_that_match_nothing_say_so(ann: Reader, redis: Redis) -> None:
    """A filter without a match is not taken for an empty ledger."""
    Work(redis)
    page = ann.text("/runs?branch=nope")
    assert "No run matches" in page
    assert "webhooks/github" not in page


def test_names_cannot_become_markup(ann: Reader, redis: Redis) -> None:
    """Whatever a branch or a person is called, it is text."""
    Work(redis, ref="refs/heads/<img/src=x>", sender="<b>\u202eada")
    page = ann.text("/runs")
    assert "<img" not in page
    assert "&lt;b&gt;" in page
    assert '<span class="control">U+202E</span>' in page


def test_a_list_of_many_runs_is_quick(ann: Reader, redis: Redis) -> None:
    """A page of thirty out of three hundred runs takes a fraction of a second."""
    for _ in range(300):
        Work(redis)
    ann.text("/runs")
    start = time.monotonic()
    ann.text("/runs?state=queued")
    assert time.monotonic() - start < 1
