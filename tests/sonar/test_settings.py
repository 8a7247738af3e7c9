"""The settings of SonarQube: right or refused, and secret."""

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
        "sonar.example.com",
        "ftp://sonar.example.com",
        "https://ada:hunter2@sonar.example.com",
        "https://sonar.example.com/?token=hunter2",
        "https://",
    ],
)
def test_an_address_that_can_not_be_right_is_refused_at_start(wrong):
    """No address, another protocol, or one with a secret in it; the secret is not repeated."""
    with pytest.raises(ValidationError) as error:
        settings(sonar_host_url=wrong)
    problems = error.value.errors(include_input=False, include_url=False)
    assert "hunter2" not in str([problem["msg"] for problem in problems])


def test_an_address_may_have_a_path():
    """A SonarQube below a path is fine, with or without a slash at the end."""
    assert settings(sonar_host_url="https://e.org/sonar/").sonar_host_url == "https://e.org/sonar"


def test_token_and_secret_are_masked():
    """Whatever would let somebody analyse or ring in our name is a secret."""
    chosen = settings(sonar_token="squ-the-token", sonar_webhook_secret="the-secret-of-sonar")
    assert {"squ-the-token", "the-secret-of-sonar"} <= set(chosen.secrets())
    assert "the-" not in repr(chosen)
