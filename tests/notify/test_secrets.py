"""No secret leaves with a message, whoever put it into the record."""

import json

from workers.report import slack

SECRET = "ghp-canary-4cc8f1b07d"
SAID = f"the image build of Dockerfile failed (exit code 1):\nRUN it\na try of {SECRET}"


def _fails(office):
    office.set(github_token=SECRET)
    run_id = office.start(office.accept())
    office.lease(run_id).write(subject=f"Use {SECRET}")
    office.end(run_id, "failed", SAID, stage="build")
    office.report(run_id)


def test_slack_is_told_of_a_failure_without_the_secret_in_it(office):
    """The error and the commit's subject are there, and `***` where the secret was."""
    _fails(office)
    said = json.dumps(office.slack.messages, ensure_ascii=False)
    assert "a try of ***" in said
    assert "Use ***" in said
    assert SECRET not in said


def test_an_email_of_a_failure_has_no_secret_in_it(office):
    """Neither its text nor its attachment."""
    _fails(office)
    (mail,) = office.mail.mails
    text = mail.message.get_body(("plain",)).get_content()
    assert "a try of ***" in text
    assert "Use ***" in text
    assert SECRET not in mail.message.as_string()


def test_a_notice_that_belongs_to_no_run_has_no_secret_in_it(office):
    """What was seen of an environment is told in Slack without any."""
    office.set(github_token=SECRET)
    slack.say(office.shop, f"sandbox: AWS answered {SECRET}")
    (message,) = office.slack.messages
    assert "sandbox: AWS answered ***" in json.dumps(message)
    assert SECRET not in json.dumps(message)


def test_slacks_own_answer_is_masked_before_it_is_shortened(office):
    """Half of a secret that it gave back is not noted in the run's log."""
    office.set(github_token=SECRET)
    office.slack.fail_next(status=400, body="x" * 90 + SECRET)
    run_id = office.start(office.accept())
    office.report(run_id)
    assert office.slack.posts[0].status == 400
    assert "x***" in office.log(run_id)
    assert SECRET[:6] not in office.log(run_id)
