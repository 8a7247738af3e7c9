"""The page of one run."""

import json
import re
from pathlib import Path

import pytest
from redis import Redis

from local.redis import EmbeddedRedis
from tests.dashboard.conftest import OPERATOR, Reader, settings
from tests.dashboard.worker import Work
from workers.ledger import keys
from workers.ledger.codec import checks_text
from workers.ledger.model.run import CheckRecord, Release, Report, StageState, State
from workers.ledger.model.run import Tests as Tally

SECOND = 1000
START = 1_760_000_000_000


def test_a_run_shows_its_stages(ann: Reader, redis: Redis) -> None:
    """Each stage has its state, its time, what it did and what went wrong, in words."""
    work = Work(redis, pull=9)
    done = {"started_at": START, "finished_at": START + 75 * SECOND, "summary": "2 files"}
    work.stage("checkout", StageState.SUCCEEDED, **done)
    work.stage("test", StageState.RUNNING, started_at=START + 75 * SECOND, error="again soon")
    page = ann.text(f"/runs/{work.id}")
    assert "Deploy to sandbox" in page
    assert re.search(r"<strong>checkout</strong> <span class=\"word\">succeeded</span>", page)
    for text in ("2 files", "again soon", ">1 min 15 s<", "2025-10-09 08:53:20 UTC"):
        assert text in page
    assert re.search(r"<strong>release</strong> <span class=\"word\">pending</span>", page)
    assert f"https://github.example/watchlist/movies-loader/commit/{work.order.commit}" in page
    assert "https://github.example/watchlist/movies-loader/pull/9" in page


def test_a_run_shows_its_releases(ann: Reader, redis: Redis) -> None:
    """Function, version, alias and hash are on the page."""
    work = Work(redis)
    work.lease.releases([Release(function="Loader", version="7", alias="sandbox", sha256="q+w=")])
    page = ann.text(f"/runs/{work.id}")
    for text in (">Loader<", ">7<", ">sandbox<", ">q+w=<"):
        assert text in page


def test_a_run_names_the_commits_that_its_version_stands_for(ann: Reader, redis: Redis) -> None:
    """Of a version that commits share, all are named; of one that has its own commit, none."""
    work = Work(redis)
    own = Release(function="Loader", version="7", alias="sandbox", sha256="q+w=")
    work.lease.releases([own])
    assert "for commits" not in ann.text(f"/runs/{work.id}")
    work.lease.releases([own.model_copy(update={"commits": ("c" * 40, "d" * 40)})])
    page = ann.text(f"/runs/{work.id}")
    assert f'for commits <code title="{"c" * 40}">ccccccc</code>, <code title="{"d" * 40}">' in page


@pytest.mark.parametrize(
    ("fault", "turn"),
    [("user", "The repository needs a change"), ("ours", "Whoever operates Slipway")],
)
def test_a_failed_run_says_why_and_whose_turn_it_is(
    ann: Reader, redis: Redis, fault: str, turn: str
) -> None:
    """The error stands above the stages, with who must act."""
    work = Work(redis).end(State.FAILED, fault, 'check "unit" ended with <1>')
    page = ann.text(f"/runs/{work.id}")
    assert page.index("check &#34;unit&#34; ended with &lt;1&gt;") < page.index("Stages")
    assert turn in page


def test_a_run_that_was_held_up_and_succeeded_shows_no_error(ann: Reader, redis: Redis) -> None:
    """What a retry has mended is not shown as trouble."""
    work = Work(redis)
    work.lease.write(error="GitHub was out of reach")
    work.end()
    assert "out of reach" not in ann.text(f"/runs/{work.id}")


def test_the_log_is_shown_by_source(ann: Reader, redis: Redis) -> None:
    """Lines stand under the name of what said them, each with an anchor, colours as classes."""
    work = Work(redis).say("one\n\x1b[31mtwo\x1b[0m\n", "lint").say("three <b>\n", "unit")
    page = ann.text(f"/runs/{work.id}")
    assert re.findall(r'<div class="group" data-source="(\w+)">', page) == ["lint", "unit"]
    assert '<span class="ink-1">two</span>' in page
    assert "three &lt;b&gt;" in page
    anchors = re.findall(r'<li id="(L[0-9-]+)"><a href="#(L[0-9-]+)"', page)
    assert len(set(anchors)) == 3
    assert all(one == other for one, other in anchors)


def test_a_long_log_shows_its_end(ann: Reader, redis: Redis) -> None:
    """The last lines are there with their numbers, the others behind a link."""
    work = Work(redis)
    for start in range(0, 3000, 100):
        work.say("".join(f"line {number}\n" for number in range(start, start + 100)))
    page = ann.text(f"/runs/{work.id}")
    assert page.count("<li id=") == 1000
    assert "line 2999<" in page
    assert "line 1999<" not in page
    assert 'data-line="3000"' in page
    assert "2,000 more" in page
    assert f'href="/api/v1/runs/{work.id}/log"' in page
    assert "line 0\n" in ann.text(f"/api/v1/runs/{work.id}/log")


def test_the_live_part_holds_only_what_is_new(ann: Reader, redis: Redis) -> None:
    """It goes on after the cursor and the line number that the page had."""
    work = Work(redis).say("one\ntwo\n")
    page = ann.text(f"/runs/{work.id}")
    after, line = re.search(r'data-after="([^"]+)" data-line="(\d+)"', page).groups()
    work.say("three\n")
    part = ann.text(f"/runs/{work.id}/live?after={after}&line={line}")
    assert re.findall(r'data-line="(\d+)"></a><span>(\w+)<', part) == [("3", "three")]
    assert 'data-ended="no"' in part
    assert "<html" not in part
    work.end()
    assert 'data-ended="yes"' in ann.text(f"/runs/{work.id}/live?after={after}&line={line}")


def test_an_archived_log_comes_back(ann: Reader, redis: Redis) -> None:
    """The page asks for it and shows it, by source, when a worker has brought it back."""
    work = Work(redis).say("long ago\n").end()
    key = f"{keys.RUN}{work.id}"
    redis.hset(key, "told", json.dumps({"log": "s3://packages/slipway/logs/x.txt"}))
    redis.delete(f"{keys.LOG}{work.id}")
    page = ann.text(f"/runs/{work.id}")
    assert "being brought back from S3" in page
    assert 'data-ended="no"' in page
    assert redis.hexists(key, "recall")
    work.ledger.put_log(work.id, "[lint] one\n[unit] [x] two\nthree\n", 60)
    part = ann.text(f"/runs/{work.id}/live?after=-&line=1")
    assert 'data-ended="yes"' in part
    said = re.findall(r'data-source="(\w*)">|data-line="\d"></a><span>([^<]*)<', part)
    assert [a or b for a, b in said] == ["lint", "one", "unit", "[x] two", "", "three"]


def test_a_silent_log_says_so(ann: Reader, redis: Redis) -> None:
    """Its place is empty, so that the style shows the words for it."""
    work = Work(redis)
    assert re.search(
        r'data-empty="Nothing has been said yet\."></div>', ann.text(f"/runs/{work.id}")
    )


@pytest.mark.parametrize("query", ["after=x", "after=9" + "9" * 30 + "-1", "line=-1", "line=x"])
def test_a_damaged_position_starts_anew(ann: Reader, redis: Redis, query: str) -> None:
    """A cursor that no page of ours has sent gives the whole end of the log."""
    work = Work(redis).say("one\n")
    assert ">one<" in ann.text(f"/runs/{work.id}/live?{query}")


def test_a_living_page_refreshes_without_javascript(ann: Reader, redis: Redis) -> None:
    """It does while the run lives, and no longer."""
    work = Work(redis)
    refresh = '<noscript><meta http-equiv="refresh"'
    assert refresh in ann.text(f"/runs/{work.id}")
    work.end()
    page = ann.text(f"/runs/{work.id}")
    assert refresh not in page
    assert "Cancel this run" not in page


def test_a_run_that_nobody_works_on_is_cancelled_at_once(ann: Reader, redis: Redis) -> None:
    """The button ends it, and the page says who did."""
    work = Work(redis)
    answer = ann.post(f"/runs/{work.id}/cancel", f"/runs/{work.id}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/runs/{work.id}")
    page = ann.text(f"/runs/{work.id}")
    assert ">Cancelled<" in page
    assert "cancelled by ann" in page


def test_a_run_at_work_is_asked_to_end(ann: Reader, redis: Redis) -> None:
    """Until its worker hears of it, the page says that it is being cancelled."""
    work = Work(redis)
    work.stage("checkout", StageState.RUNNING)
    ann.post(f"/runs/{work.id}/cancel", f"/runs/{work.id}")
    assert ">Cancelling<" in ann.text(f"/runs/{work.id}")


def test_a_run_without_success_is_run_again(ann: Reader, redis: Redis) -> None:
    """The button leads to a new run of the same order; once, and only after such an end."""
    work = Work(redis)
    again = f"/runs/{work.id}/retry"
    assert "Run it again" not in ann.text(f"/runs/{work.id}")
    assert ann.post(again, f"/runs/{work.id}").status_code == 409
    work.ledger.cancel(work.id, "no")
    assert "Run it again" in ann.text(f"/runs/{work.id}")
    answer = ann.post(again, f"/runs/{work.id}")
    assert answer.status_code == 303
    new = work.ledger.history.run(answer.headers["Location"].removeprefix("/runs/"))
    assert new
    assert (new.order, new.state) == (work.order, State.QUEUED)
    answer = ann.post(again, f"/runs/{work.id}")
    assert answer.status_code == 409
    assert f"Run {new.id} has taken its place already." in answer.text
    assert ann.post("/runs/nope/retry", f"/runs/{work.id}").status_code == 404


def test_checks_are_shown(ann: Reader, redis: Redis) -> None:
    """How each ended, what its tests counted, by name what failed, and where its report is."""
    work = Work(redis)
    tests = Tally(passed=40, failed=2, skipped=1, failing=("reads <all>", "retries"))
    shown = Report(index="a b.html", files=1, size=9)
    elsewhere = Report(index="x.html", files=1, size=9, shown=False, archive="s3://b/there/")
    records = (
        CheckRecord(name="unit", exit_code=3, seconds=61.5, tests=tests, note="cut <short>"),
        CheckRecord(name="slow", exit_code=137, seconds=300, timed_out=True, report=elsewhere),
        CheckRecord(name="coverage", exit_code=0, seconds=1, report=shown),
    )
    work.lease.write(checks=checks_text(records))
    page = ann.text(f"/runs/{work.id}")
    assert '<strong class="bad">2 failed</strong>, 40 passed, 1 skipped' in page
    for text in ("exit code 3", "reads &lt;all&gt;", "retries", "cut &lt;short&gt;", "1 min 1 s"):
        assert text in page
    for text in ("timed out", "<code>s3://b/there/</code>", ">passed<"):
        assert text in page
    assert f'href="/api/v1/runs/{work.id}/reports/coverage/a%20b.html"' in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"csrf_token": ""},
        {"csrf_token": "guessed-tökén"},
        {"headers": {"Origin": "https://evil.example"}},
        {"headers": {"Origin": "null"}},
        {"headers": {"Origin": ""}},
    ],
)
def test_a_foreign_form_changes_nothing(ann: Reader, redis: Redis, wrong: dict) -> None:
    """Without the session's token, or from another site, a form is refused."""
    work = Work(redis)
    answer = ann.post(f"/runs/{work.id}/cancel", f"/runs/{work.id}", **wrong)
    assert answer.status_code == 403
    assert answer.mimetype == "text/html"
    assert work.ledger.history.run(work.id).state is State.QUEUED


def test_a_post_from_another_site_without_origin_is_refused(ann: Reader, redis: Redis) -> None:
    """Where a browser sends no Origin, Sec-Fetch-Site tells."""
    work = Work(redis)
    token = ann.token_in(f"/runs/{work.id}")
    answer = ann.browser.post(
        f"/runs/{work.id}/cancel",
        base_url="https://slipway.example",
        data={"csrf_token": token},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/runs/nope", "/runs/nope/live", "/runs/%00%ff"])
def test_an_unknown_run_gets_a_friendly_page(ann: Reader, path: str) -> None:
    """It is HTML, says what may be the reason, and leads back."""
    answer = ann.get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "There is no such run" in answer.text
    assert 'href="/runs"' in answer.text


@pytest.mark.parametrize("path", ["/runs", "/runs/x", "/runs/x/live"])
def test_a_ledger_out_of_reach_gets_a_friendly_page(path: str, tmp_path: Path) -> None:
    """The page says so with 503, and tries again by itself."""
    from config.server import parse
    from service import create_app

    with EmbeddedRedis(tmp_path) as server:
        reader = Reader(create_app(settings(server.url), parse(OPERATOR)))
        reader.sign_in()
    answer = reader.get(path)
    assert answer.status_code == 503
    assert answer.mimetype == "text/html"
    assert answer.headers["Retry-After"] == "5"
    assert 'http-equiv="refresh"' in answer.text


def test_a_cut_log_says_where_the_whole_is(ann: Reader, redis: Redis) -> None:
    """A note with the place in S3, and a link once the run has ended."""
    work = Work(redis).say("one\n")
    work.lease.write(log_cut="98000000", log_whole="s3://packages/slipway/logs/x/")
    page = ann.text(f"/runs/{work.id}")
    assert " were dropped here. All of it is in the whole text when the run has ended" in page
    assert "<code>s3://packages/slipway/logs/x/</code>" in page
    work.end()
    link = f'All of it is in the <a href="/api/v1/runs/{work.id}/log">whole text</a>'
    assert link in ann.text(f"/runs/{work.id}")
