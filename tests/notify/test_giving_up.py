"""What is never taken is not owed for ever, and keeps nothing else."""

import json

import pytest
from structlog.testing import capture_logs

from tests.stand_ins.github import TOKEN, GitHub
from workers.ledger import keys, messages
from workers.ledger.sweep import LIMIT
from workers.report import PATIENCE_SECONDS

DAY = 86400


@pytest.fixture
def hub(tmp_path):
    """GitHub with the repository, and the commit that runs are of."""
    with GitHub(tmp_path / "hub") as hub:
        hub.create_repository("octo/movies-loader")
        yield hub


@pytest.fixture
def refused(office, hub):
    """A run at work, of which GitHub is told with a token that it doesn't accept."""
    office.set(github_token="not-the-token", github_api_url=hub.api_url)
    commit = hub.commit("octo/movies-loader", "master", {"a": "b"})
    run_id = office.start(office.accept(commit=commit))
    assert "github|pause" in office.report(run_id), "GitHub took the token"
    return run_id


def age(office, run_id, seconds):
    """Have GitHub have failed for so much longer already, and its pause be over."""
    told = office.told(run_id)
    pause = json.loads(told["github|pause"])
    told["github|pause"] = json.dumps(
        {**pause, "since": pause["since"] - int(seconds * 1000), "until": 0}
    )
    office.redis.hset(keys.run(run_id), "told", json.dumps(told))


def owed(office, run_id):
    """Whether a report of the run is owed."""
    return office.redis.zscore(keys.REPORTS, run_id) is not None


def tried(office, run_id):
    """Report the run once more; the warnings of giving up."""
    with capture_logs() as logs:
        office.report(run_id)
    return [(one["log_level"], one["channel"]) for one in logs if one["event"] == "report_given_up"]


def test_what_github_refuses_for_a_week_is_given_up(office, refused):
    """The run owes no report any longer, a warning says so, and it can be forgotten."""
    office.end(refused)
    office.report(refused)
    assert office.shop.ledger.prune(keep=0, days=90) == 0
    age(office, refused, PATIENCE_SECONDS)
    assert tried(office, refused) == [("warning", "github")]
    assert not owed(office, refused)
    assert office.shop.ledger.prune(keep=0, days=90) == 1


def test_it_is_tried_for_all_of_that_week(office, refused):
    """A day before it is over the report is still owed, and tried at least each ten minutes."""
    office.end(refused)
    office.report(refused)
    age(office, refused, PATIENCE_SECONDS - DAY)
    assert tried(office, refused) == []
    assert 0 < office.due(refused) <= 600


def test_a_run_that_has_not_ended_is_never_given_up(office, refused):
    """GitHub must hear its end, however long the approval takes."""
    age(office, refused, PATIENCE_SECONDS)
    assert tried(office, refused) == []
    assert owed(office, refused)


def test_news_have_what_was_given_up_tried_once_more(office, hub, refused):
    """Whoever asks for the run's log after the token was mended has GitHub told as well."""
    office.end(refused)
    office.report(refused)
    age(office, refused, PATIENCE_SECONDS)
    assert tried(office, refused)
    office.report(refused)
    assert not owed(office, refused)
    commit = office.shop.ledger.history.run(refused).order.commit
    assert hub.statuses("octo/movies-loader", commit) == []
    office.set(github_token=TOKEN)
    office.shop.ledger.recall_log(refused, messages.REPORTS_ON)
    office.report(refused)
    told = hub.statuses("octo/movies-loader", commit)
    assert ("slipway/deploy/production", "success") in [(one.context, one.state) for one in told]
    assert not owed(office, refused)


def test_runs_that_owe_a_report_keep_no_others(office):
    """More of them than a sweep looks at are the oldest, and what is behind them is forgotten."""
    ledger = office.shop.ledger
    commits = [f"{n:040x}" for n in range(LIMIT + 20)]
    debtors = [office.start(office.accept(commit=commit)) for commit in commits]
    others = [office.start(office.accept(commit=f"{n:040x}")) for n in range(1000, 1005)]
    for run_id in (*debtors, *others):
        office.end(run_id)
    for run_id in others:
        office.redis.zrem(keys.REPORTS, run_id)
    assert [ledger.prune(keep=0, days=90) for _ in range(2)] == [0, 5]
    assert all(ledger.history.run(run_id) for run_id in debtors)
    office.redis.delete(keys.REPORTS)
    assert [ledger.prune(keep=0, days=90) for _ in range(2)] == [LIMIT, 20]
    assert office.redis.zcard(keys.RUNS) == 0
