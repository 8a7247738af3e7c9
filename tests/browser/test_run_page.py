"""A run's page in a real browser: it lives while the run does, by events or without."""

import contextlib
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Reader
from tests.dashboard.worker import Work
from tests.service.test_events import full_house
from workers.ledger.codec import checks_text
from workers.ledger.model.run import CheckRecord, Release, Report, StageState, State
from workers.ledger.model.run import Tests as Tally

SOON = 10_000


def lines(page) -> list[str]:
    """The log as the page shows it."""
    return page.locator("#run-log li > span").all_inner_texts()


def stage(page, name):
    """One stage of the page."""
    return page.locator("#run-stages .stage").filter(has_text=name)


def play(page, work: Work) -> None:
    """Let a run go from its first stage to its end, and see each step on the page."""
    expect(stage(page, "checkout")).to_contain_text("pending")
    work.stage("checkout", StageState.RUNNING, started_at=work.ledger.now()).say("one\n")
    expect(stage(page, "checkout")).to_contain_text("running", timeout=SOON)
    expect(page.locator("#run-state")).to_contain_text("Running")
    expect(page.locator("#run-log")).to_contain_text("one", timeout=SOON)
    work.say("two\nthree\n", "test/unit").stage("checkout", StageState.SUCCEEDED, finished_at=1)
    work.lease.releases([Release(function="Loader", version="7", alias="sandbox")])
    work.say("four\n", "test/unit").end()
    expect(page.locator("#run-state")).to_contain_text("Succeeded", timeout=SOON)
    expect(page.locator("#run-releases")).to_contain_text("Loader")
    assert lines(page) == ["one", "two", "three", "four"]
    expect(page.get_by_role("button", name="Cancel this run")).to_have_count(0)
    assert page.title().startswith("Succeeded")


def test_a_live_run_is_followed_by_events(ann: Reader, work: Work):
    """What happens shows without a reload; the page asks only when it was told of news."""
    page = ann.open(f"/runs/{work.id}")
    play(page, work)
    assert ann.asked_for("/events?") == 1
    asked = ann.asked_for("/live?")
    page.wait_for_timeout(2500)
    assert ann.asked_for("/live?") == asked
    assert ann.asked_for("/events?") == 1
    assert ann.complaints == []


def test_where_no_seat_is_free_the_page_asks_again(ann: Reader, slipway, work: Work, book):
    """A page that may not follow shows the same, by asking once a second."""
    other = Work(book)
    with contextlib.ExitStack() as stack:
        full_house(slipway, other.id, stack)
        with ann.page.expect_response(re.compile("/events")) as refusal:
            page = ann.open(f"/runs/{work.id}")
        assert refusal.value.status == 503
        play(page, work)
    assert ann.asked_for("/live?") >= 2


def test_a_page_sits_out_a_restart(ann: Reader, slipway, work: Work):
    """It says when the connection is gone, and after it has every line once."""
    page = ann.open(f"/runs/{work.id}")
    work.say("one\n")
    expect(page.locator("#run-log")).to_contain_text("one", timeout=SOON)
    slipway.processes["web"].terminate()
    slipway.processes["web"].stop()
    work.say("two\n")
    expect(page.locator("#run-lost")).to_be_visible(timeout=30_000)
    slipway.start("web")
    work.say("three\n")
    expect(page.locator("#run-log")).to_contain_text("three", timeout=30_000)
    expect(page.locator("#run-lost")).to_have_text("", timeout=30_000)
    work.say("four\n").end()
    expect(page.locator("#run-state")).to_contain_text("Succeeded", timeout=30_000)
    assert lines(page) == ["one", "two", "three", "four"]


def test_checks_and_their_reports_are_on_the_page(ann: Reader, work: Work):
    """What passed and failed, by name, and a link that leads to the report."""
    tests = Tally(passed=40, failed=2, skipped=1, failing=("loader.reads all", "loader.<b>"))
    report = Report(index="index.html", files=1, size=20)
    records = (
        CheckRecord(name="unit", exit_code=1, seconds=12, tests=tests),
        CheckRecord(name="coverage", exit_code=0, seconds=8, report=report),
    )
    work.lease.write(checks=checks_text(records))
    page_of_it = b"<h1>92 %</h1><script>document.title = 'bad'</script>"
    work.ledger.reports.put(work.id, "coverage", [("index.html", page_of_it)], 60)
    work.end(State.FAILED, "user", "unit failed with exit code 1")
    page = ann.open(f"/runs/{work.id}")
    unit = page.locator(".check").filter(has_text="unit")
    expect(unit).to_contain_text("2 failed, 40 passed, 1 skipped")
    assert unit.locator(".failing li").all_inner_texts() == ["loader.reads all", "loader.<b>"]
    page.get_by_role("link", name="Report").click()
    expect(page.get_by_role("heading", name="92 %")).to_be_visible()
    assert page.title() != "bad"


def test_a_run_is_cancelled_and_run_again(ann: Reader, book):
    """Two buttons: one ends the run, the other leads to a new one of the same commit."""
    work = Work(book)
    page = ann.open(f"/runs/{work.id}")
    page.get_by_role("button", name="Cancel this run").click()
    expect(page.locator("#run-state")).to_contain_text("Cancelled")
    page.get_by_role("button", name="Run it again").click()
    expect(page.locator("#run-state")).to_contain_text("Queued")
    assert work.id not in page.url
    expect(page.locator(".summary")).to_contain_text(work.order.commit[:7])
    ann.open(f"/runs/{work.id}").get_by_role("button", name="Run it again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("It was not run again")


@pytest.mark.parametrize("width", [360, 1200])
def test_no_page_is_wider_than_its_window(ann: Reader, book, width: int):
    """Lists, runs and environments fit a phone and a desk, whatever the names."""
    long = "a-name-" + "without-end-" * 8
    work = Work(book, repository=f"watchlist/{long}")
    work.lease.releases([Release(function=long, version="7", alias="sandbox", sha256="x" * 44)])
    tests = Tally(passed=1, failed=1, failing=(long * 3,))
    record = CheckRecord(name=long, exit_code=1, seconds=1, tests=tests)
    work.lease.write(checks=checks_text((record,)))
    work.say(f"{long * 4}\n", f"deploy/{long}").end(State.FAILED, "user", long * 3)
    ann.page.set_viewport_size({"width": width, "height": 800})
    environments = ("/environments", "/environments/sandbox")
    for path in ("/runs", f"/runs/{work.id}", "/runs/nope", *environments):
        page = ann.open(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, path
