"""Slack hears of each event of a deploy once, in order, whatever gets in between."""

import json

import pytest

from tests.notify.conftest import CANDIDATE, PUBLIC_URL, TEAM
from tests.orders import COMMIT, pull_request
from workers.ledger import keys


def blocks(message, kind):
    """The blocks of one kind."""
    return [block for block in message["blocks"] if block["type"] == kind]


def sections(message):
    """The text of all sections."""
    return "\n".join(block["text"]["text"] for block in blocks(message, "section"))


def test_a_deploy_is_told_from_start_to_success(office):
    """The start and the success are one message each, with all that people ask for."""
    run_id = office.start(office.accept(pull_request=pull_request()))
    office.report(run_id)
    office.end(run_id)
    told = office.report(run_id)
    started, succeeded = office.slack.messages
    link = f"{PUBLIC_URL}/runs/{run_id}"
    assert started["text"] == (
        f"octo/movies-loader: deploy of {COMMIT[:7]} to production started"
        f" - master, pull request #3, by ada {link}"
    )
    assert "succeeded" in succeeded["text"]
    assert "MoviesLoader 7" in succeeded["text"]
    assert f"<{link}|octo/movies-loader: deploy of {COMMIT[:7]} to production succeeded>" in (
        sections(succeeded)
    )
    assert "version 7" in sections(succeeded)
    assert "aGFzaA==" in sections(succeeded)
    (took,) = blocks(succeeded, "context")
    assert "build 1.5 s" in took["elements"][0]["text"]
    assert told["slack|started"] == told["slack|succeeded"] == "sent"


def test_nothing_is_told_twice(office):
    """Reports that are repeated, as every stage asks for one, post nothing again."""
    run_id = office.start(office.accept())
    for _ in range(3):
        office.report(run_id)
    office.end(run_id)
    for _ in range(3):
        office.report(run_id)
    assert len(office.slack.posts) == 2


def test_a_quick_deploy_is_told_in_order(office):
    """A run that has ended before anybody was told starts first and ends then."""
    run_id = office.start(office.accept())
    office.end(run_id)
    office.report(run_id)
    assert [("started" in text, "succeeded" in text) for text in office.slack.texts] == [
        (True, False),
        (False, True),
    ]


def test_a_failure_names_the_stage_and_the_reason(office):
    """The failing stage and its error are in the text, and in a block as they are."""
    run_id = office.start(office.accept())
    why = "unit failed with exit code 1: expected <b> & ```c```"
    office.end(run_id, "failed", why)
    office.report(run_id)
    failed = office.slack.messages[-1]
    assert "failed" in failed["text"]
    assert "test: unit failed with exit code 1: expected &lt;b&gt; &amp;" in failed["text"]
    assert "```test: unit failed with exit code 1: expected &lt;b&gt; &amp; '''c'''```" in (
        sections(failed)
    )


def test_nobody_is_called_by_a_commit(office):
    """Names and subjects are text: they mention nobody, and break no message."""
    run_id = office.start(office.accept(sender="<!here>", ref="refs/heads/<@U1>\n*x*"))
    office.report(run_id)
    (message,) = office.slack.messages
    assert "&lt;!channel&gt; &amp; more" in sections(message)
    assert "<!" not in json.dumps(message)
    assert "<@" not in json.dumps(message)
    assert "\n" not in message["text"]
    assert all(block["text"]["verbatim"] for block in blocks(message, "section"))


def test_a_huge_error_fits(office):
    """Slack takes 3,000 characters in a section; more is cut, and the link leads to the rest."""
    run_id = office.start(office.accept())
    office.end(run_id, "failed", "<&>" * 5000)
    told = office.report(run_id)
    assert told["slack|failed"] == "sent"
    assert len(office.slack.texts[-1]) < 4000


def test_a_waiting_run_can_be_answered(office):
    """The message has two buttons that name the run, the commit and the hash of the packages."""
    run_id = office.start(office.accept())
    office.wait(run_id)
    office.report(run_id)
    office.report(run_id)
    waiting = office.slack.messages[-1]
    assert "is waiting for approval" in waiting["text"]
    assert "version 7" in sections(waiting)
    (actions,) = blocks(waiting, "actions")
    approve, reject = actions["elements"]
    assert (approve["action_id"], reject["action_id"]) == ("slipway_approve", "slipway_reject")
    for button in (approve, reject):
        assert json.loads(button["value"]) == {
            "run": run_id,
            "commit": COMMIT,
            "sha256": CANDIDATE,
        }
    assert len(office.slack.messages) == 2


def test_no_buttons_without_a_way_to_answer(office):
    """Without the signing secret nobody could trust a button: the link is all there is."""
    office.set(slack_signing_secret=None)
    run_id = office.start(office.accept())
    office.wait(run_id)
    office.report(run_id)
    assert blocks(office.slack.messages[-1], "actions") == []


@pytest.mark.parametrize("state", ["cancelled", "superseded"])
def test_a_start_is_never_left_open(office, state):
    """Who heard of the start hears of a quiet end as well, with its reason."""
    run_id = office.start(office.accept())
    office.report(run_id)
    office.end(run_id, state, "by ada's wish", stage="build")
    office.report(run_id)
    assert len(office.slack.messages) == 2
    assert f"was {state}" in office.slack.texts[-1]
    assert "by ada's wish" in sections(office.slack.messages[-1])


def test_what_never_started_is_not_told(office):
    """A run that gave way in the queue is no news for a channel."""
    run_id = office.accept()
    office.shop.ledger.cancel(run_id, "cancelled by ada")
    told = office.report(run_id)
    assert office.slack.posts == []
    assert [key for key in told if key.startswith("slack|")] == []


def test_checks_are_not_told(office):
    """A pull request's check is told on GitHub alone."""
    run_id = office.start(office.accept(purpose="check", environment=None))
    office.end(run_id)
    office.report(run_id)
    assert office.slack.posts == []


def test_slack_says_when(office):
    """After a 429 Slack is left alone for as long as it asked, whatever happens meanwhile."""
    run_id = office.start(office.accept())
    office.slack.fail_next(status=429, headers={"Retry-After": "2"}, body="rate_limited")
    told = office.report(run_id)
    assert told["slack|started"] == "delayed: Slack answered 429 (rate_limited)"
    assert 1.5 < office.due(run_id) <= 2
    assert "[slack] Slack answered 429 (rate_limited); trying again in 2 s" in office.log(run_id)
    office.end(run_id)
    office.report(run_id)
    assert len(office.slack.posts) == 1, "news do not cut Slack's pause short"
    assert len(office.mail.mails) == 1, "nobody else waits for Slack"
    office.patience(run_id)
    office.report(run_id)
    assert len(office.slack.messages) == 2
    assert "lost" not in json.dumps(office.slack.messages), "a refused message is no repeat"


def test_slack_that_fails_is_asked_less_and_less(office):
    """Server errors are tried again with growing pauses, and the log says so once."""
    run_id = office.start(office.accept())
    office.slack.fail_next(times=3, status=500)
    waits = []
    for _ in range(3):
        office.report(run_id)
        waits.append(round(office.due(run_id)))
        office.patience(run_id)
    assert waits == [2, 4, 8]
    told = office.report(run_id)
    assert told["slack|started"] == "sent"
    assert "slack|pause" not in told
    assert office.log(run_id).count("[slack]") == 1


def test_a_lost_answer_is_sent_again_and_says_so(office):
    """When nobody knows whether Slack has it, it is told again rather than never."""
    run_id = office.start(office.accept())
    office.slack.fail_next(drop_connection=True, after=True)
    told = office.report(run_id)
    assert told["slack|started"] == "sending"
    assert "Slack is out of reach (ConnectionError)" in office.log(run_id)
    office.patience(run_id)
    office.report(run_id)
    first, second = office.slack.messages
    assert "lost" not in sections(first)
    assert "sent again: the first one may have been lost" in sections(second)


@pytest.mark.parametrize(("status", "body"), [(404, "no_service"), (403, "action_prohibited")])
def test_what_slack_will_never_take_is_given_up(office, status, body):
    """A webhook that is gone is asked once for each event, and the run says why."""
    run_id = office.start(office.accept())
    office.slack.fail_next(status=status, body=body)
    told = office.report(run_id)
    assert told["slack|started"].startswith(f"given up: Slack answered {status} ({body})")
    for _ in range(2):
        office.report(run_id)
    assert len(office.slack.posts) == 1
    assert f"[slack] Slack was not told that the deploy started: Slack answered {status}" in (
        office.log(run_id)
    )
    assert office.redis.zscore(keys.REPORTS, run_id) is None


def test_slack_away_keeps_nobody_else(office):
    """With Slack gone the others are told, and only Slack is tried again."""
    run_id = office.start(office.accept())
    office.slack.fail_next(times=99, drop_connection=True)
    office.end(run_id)
    told = office.report(run_id)
    assert told[f"{COMMIT}|slipway/deploy/production"].startswith("success|")
    assert told["log"]
    assert office.mail.mails[0].recipients == TEAM
    assert office.due(run_id) > 1


def test_old_news_are_no_news(office):
    """What happened more than a day ago is not told any more, and that is noted."""
    run_id = office.start(office.accept())
    office.redis.hset(keys.run(run_id), "started_at", "1")
    told = office.report(run_id)
    assert told["slack|started"] == "given up: a day has passed"
    assert office.slack.posts == []


def test_the_webhooks_address_is_nowhere(office):
    """The address is a secret: neither the log of the run nor what was told holds it."""
    run_id = office.start(office.accept())
    office.slack.fail_next(status=500, body="a-webhook-secret-of-slack")
    office.slack.fail_next(drop_connection=True)
    for _ in range(2):
        office.report(run_id)
        office.patience(run_id)
    said = office.log(run_id) + json.dumps(office.told(run_id))
    assert "a-webhook-secret" not in said
    assert "(***)" in said
