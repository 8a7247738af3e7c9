"""Reports of checks over HTTP: kept, brought back, and trusted in nothing."""

import threading
import time

import pytest
from redis import Redis

from config.server import parse
from local.redis import EmbeddedRedis
from service import create_app
from service.api import reports
from tests.dashboard.conftest import OPERATOR, TOKEN, settings
from tests.dashboard.worker import Work
from workers.ledger import keys
from workers.ledger.codec import checks_text
from workers.ledger.model.run import CheckRecord, Report

PAGE = b"<script>alert(1)</script><link rel=stylesheet href=style.css>"
FILES = [("index.html", PAGE), ("style.css", b"a{}"), ("data.bin", b"\0"), ("a b/ü.svg", b"<svg/>")]


@pytest.fixture
def client(redis: Redis, redis_server: EmbeddedRedis):
    """A client of the web process without a session."""
    return create_app(settings(redis_server.url), parse(OPERATOR)).test_client()


@pytest.fixture
def work(redis: Redis) -> Work:
    """A run at work."""
    return Work(redis)


def left(work: Work, **changes: object) -> str:
    """Say that the check `coverage` left a report; its path."""
    report = Report(index="index.html", files=4, size=99).model_copy(update=changes)
    record = CheckRecord(name="coverage", exit_code=0, seconds=1.5, report=report)
    work.lease.write(checks=checks_text((record, CheckRecord(name="lint", exit_code=1, seconds=1))))
    return f"/api/v1/runs/{work.id}/reports/coverage/"


def get(client, path: str, token: str = TOKEN):
    """GET with a token."""
    return client.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})


def test_a_report_is_listed_and_served(client, work: Work):
    """The run's JSON names each check and its report; the pages come with their types."""
    base = left(work)
    assert work.ledger.reports.put(work.id, "coverage", FILES, 60)
    run = get(client, f"/api/v1/runs/{work.id}").json
    (report,) = run["reports"]
    assert report["check"] == "coverage"
    assert report["url"].endswith(f"{base}index.html")
    assert [(check["name"], check["exit_code"]) for check in run["checks"]] == [
        ("coverage", 0),
        ("lint", 1),
    ]
    page = get(client, f"{base}index.html")
    assert (page.status_code, page.data) == (200, PAGE)
    assert page.content_type == "text/html; charset=utf-8"
    assert get(client, f"{base}style.css").content_type == "text/css; charset=utf-8"
    assert get(client, f"{base}a%20b/%C3%BC.svg").data == b"<svg/>"


def test_pages_can_do_nothing(client, work: Work):
    """A sandbox without scripts, types that aren't guessed, no cookie, no caching by others."""
    base = left(work)
    work.ledger.reports.put(work.id, "coverage", FILES, 60)
    for name, _ in FILES:
        headers = get(client, base + name).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("sandbox allow-same-origin; default-src 'none'")
        assert "allow-scripts" not in policy
        assert "script-src" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "private, no-cache"
        assert "Set-Cookie" not in headers
    assert get(client, f"{base}data.bin").headers["Content-Disposition"] == "attachment"


def test_strangers_see_nothing(client, work: Work):
    """Without a token, or with a wrong one, there is no page."""
    base = left(work)
    work.ledger.reports.put(work.id, "coverage", FILES, 60)
    for token in ("", "wrong"):
        assert get(client, f"{base}index.html", token).status_code == 401


@pytest.mark.parametrize(
    "name", ["none.html", "../coverage/index.html", "../../log", "index.html/"]
)
def test_there_is_nothing_else(client, work: Work, name: str):
    """Only names of the report lead to something."""
    base = left(work)
    work.ledger.reports.put(work.id, "coverage", FILES, 60)
    answer = get(client, base + name)
    assert answer.status_code in (404, 308)
    assert PAGE not in answer.data


def test_what_is_not_kept_is_told(client, work: Work):
    """No such report, one that is gone, and one too large to show are each told."""
    base = left(work)
    assert "no longer kept" in get(client, f"{base}index.html").json["detail"]
    lint = base.replace("coverage", "lint")
    assert "no report of lint" in get(client, f"{lint}index.html").json["detail"]
    left(work, shown=False, archive="s3://bucket/there/")
    assert "s3://bucket/there/" in get(client, f"{base}index.html").json["detail"]
    assert get(client, f"/api/v1/runs/{work.id}").json["reports"][0]["url"] is None


def test_a_report_in_s3_is_asked_for(client, work: Work, monkeypatch: pytest.MonkeyPatch):
    """A worker is asked to bring it; the answer waits a little, then says when to ask again."""
    base = left(work, archive="s3://bucket/there/")
    monkeypatch.setattr(reports, "RECALL_SECONDS", 0.2)
    late = get(client, f"{base}index.html")
    assert (late.status_code, late.headers["Retry-After"]) == (503, "2")
    assert late.headers["Refresh"] == "2"  # a browser asks again by itself
    assert work.ledger.reports.wanted(work.id) == "coverage"
    monkeypatch.setattr(reports, "RECALL_SECONDS", 10)

    def bring() -> None:
        time.sleep(0.3)
        work.ledger.reports.put(work.id, "coverage", FILES, 60)

    worker = threading.Thread(target=bring)
    worker.start()
    assert get(client, f"{base}index.html").data == PAGE
    worker.join()
    assert work.ledger.reports.wanted(work.id) is None


def test_large_reports_stay_out_of_the_ledger(work: Work, redis: Redis):
    """More than 5 MB packed is not kept, not even in part; what is kept has an end."""
    import os

    files = [(f"f{n}", os.urandom(1 << 20)) for n in range(5)]
    assert not work.ledger.reports.put(work.id, "coverage", files, 60)
    assert not work.ledger.reports.here(work.id, "coverage")
    assert work.ledger.reports.put(work.id, "coverage", files[:2], 60)
    assert 0 < redis.ttl(f"{keys.REPORT}{work.id}:coverage") <= 60
