"""The settings of notifications: right or refused, and secret."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import Settings


def settings(**changes):
    """Settings with these and nothing else."""
    fixed = {"config": Path("server.toml"), "github_webhook_secrets": "a-secret-of-github"}
    return Settings.model_validate(fixed | changes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"slack_webhook_url": "hooks.slack.com/services/hunter2"},
        {"slack_webhook_url": "https:///hunter2"},
        {"smtp_url": "smtp://ada:hunter2"},
        {"email_from": "slipway"},
        {"email_from": "slipway@example.com\nBcc: hunter2@example.com"},
        {"email_from": "slipway@"},
    ],
)
def test_what_can_not_work_is_refused_at_start(wrong):
    """A wrong address is found before the first deploy wants to use it."""
    with pytest.raises(ValidationError) as error:
        settings(**wrong)
    problems = error.value.errors(include_input=False, include_url=False)
    assert "hunter2" not in str([problem["msg"] for problem in problems])


def test_they_are_secrets():
    """Whatever would let somebody post, answer or mail in our name is masked."""
    chosen = settings(
        slack_webhook_url="https://hooks.slack.com/services/T1/B1/the-end-of-it",
        slack_signing_secret="the-signing-secret",
        smtp_url="smtp://ada:the%20password@mail",
    )
    assert {
        "https://hooks.slack.com/services/T1/B1/the-end-of-it",
        "the-end-of-it",
        "the-signing-secret",
        "the%20password",
        "the password",
    } <= set(chosen.secrets())
    assert "the-" not in repr(chosen)
    assert "password" not in repr(chosen)
