"""A push to production is told in Slack from start to success, and mailed with its log."""

import time

import pytest

from tests.e2e.conftest import OPERATOR, small
from tests.stand_ins.github import TOKEN
from tests.stand_ins.slack import Slack
from tests.stand_ins.slipway import Slipway
from tests.stand_ins.smtp import Smtp

pytestmark = pytest.mark.e2e
MAILED = OPERATOR.replace('branch = "master"', 'branch = "master"\nemail = ["team@example.com"]')


@pytest.fixture
def slack():
    """A Slack of its own."""
    with Slack() as slack:
        yield slack


@pytest.fixture
def mail():
    """A mail server of its own."""
    with Smtp() as mail:
        yield mail


@pytest.fixture
def slipway(tmp_path, github, aws, redis, redis_server, docker_host, python_image, slack, mail):
    """Slipway's processes, not started, with Slack and a mail server."""
    environment = {
        "REDIS_URL": redis_server.url,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_TOKEN": TOKEN,
        "DOCKER_HOST": docker_host,
        "SLIPWAY_SWEEP_SECONDS": "1",
        "SLACK_WEBHOOK_URL": slack.url,
        "SMTP_URL": mail.url,
        "SLIPWAY_EMAIL_FROM": "deploys@example.com",
        **aws.environment(),
    }
    with Slipway(tmp_path / "slipway", MAILED, environment) as processes:
        yield processes


def test_a_deploy_to_production_is_told(world, slack, mail):
    """Slack has the start and the success, one each; the mail has the versions and the log."""
    slack.fail_next(status=429, headers={"Retry-After": "1"}, body="rate_limited")
    commit = world.push(small(), branch="master")
    run = world.ended(commit)
    assert run["state"] == "succeeded", world.story(run)
    deadline = time.monotonic() + 20
    while len(slack.messages) < 2 or not mail.mails:
        assert time.monotonic() < deadline, world.story(run)
        time.sleep(0.1)
    time.sleep(1)

    head = f"watchlist/movies-loader: deploy of {commit[:7]} to production"
    assert [text.partition(" - ")[0] for text in slack.texts] == [
        f"{head} started",
        f"{head} succeeded",
    ]
    assert run["url"] in slack.texts[0]
    (limited, following, *_) = slack.posts
    assert (limited.status, following.status) == (429, 200)
    assert following.at - limited.at >= 1

    (one,) = mail.mails
    assert one.recipients == ("team@example.com",)
    assert one.message["Subject"] == f"[Slipway] {head} succeeded"
    version = world.alias("production")
    text = one.message.get_body(("plain",)).get_content()
    assert f"MoviesLoader  {version}  production" in text
    assert run["url"] in text
    name, log = one.attachment()
    assert name == f"{run['id']}.log"
    assert f"production: nothing → version {version}\n" in log.decode()
    assert "[slack] Slack answered 429" in world.slipway.log(run["id"])
