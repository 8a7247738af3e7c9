"""The environment is read once, and complained about once, as a whole."""

import pytest

from config.settings import Settings, SettingsError, load, variable

GOOD = {"SLIPWAY_CONFIG": "server.toml", "GITHUB_WEBHOOK_SECRET": "one-secret, another-secret"}


@pytest.fixture
def environment(monkeypatch):
    """An environment with nothing of ours in it but what a test sets."""
    for field in Settings.model_fields:
        monkeypatch.delenv(variable(field), raising=False)

    def fill(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return fill


def test_everything_that_is_wrong_is_said_at_once(environment):
    """Each missing or wrong variable is named, in one error."""
    environment(SLIPWAY_CAPACITY="many", SLIPWAY_API_TOKENS="no-name", PORT="0")
    with pytest.raises(SettingsError) as error:
        load()
    lines = str(error.value).splitlines()
    named = {line.partition(":")[0] for line in lines}
    assert named == {
        "SLIPWAY_CONFIG",
        "GITHUB_WEBHOOK_SECRET",
        "SLIPWAY_CAPACITY",
        "SLIPWAY_API_TOKENS",
        "PORT",
    }


def test_no_value_is_repeated_in_a_complaint(environment):
    """What is wrong may be a secret in the wrong place."""
    environment(**GOOD, SLIPWAY_API_TOKENS="hunter2-hunter2", GITHUB_APP_ID="1")
    with pytest.raises(SettingsError) as error:
        load()
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("secret", ["", " ", ","])
def test_no_secret_no_start(environment, secret):
    """Without a webhook secret there is no Slipway."""
    environment(**GOOD | {"GITHUB_WEBHOOK_SECRET": secret})
    with pytest.raises(SettingsError, match="GITHUB_WEBHOOK_SECRET"):
        load()


def test_an_app_goes_with_its_key(environment):
    """A GitHub App without a private key, or a key without an App, is half a credential."""
    environment(**GOOD, GITHUB_APP_ID="1")
    with pytest.raises(SettingsError, match="GITHUB_APP_PRIVATE_KEY"):
        load()


def test_several_secrets_are_read_for_rotation(environment):
    """Secrets and tokens are lists with commas, and hidden wherever they are shown."""
    environment(**GOOD, SLIPWAY_API_TOKENS="ada:token-of-ada,bot:token-of-bot")
    chosen = load()
    assert [s.get_secret_value() for s in chosen.github_webhook_secrets] == [
        "one-secret",
        "another-secret",
    ]
    assert set(chosen.api_tokens) == {"ada", "bot"}
    for secret in ("one-secret", "token-of-ada"):
        assert secret in chosen.secrets()
        assert secret not in repr(chosen)


def test_an_empty_variable_counts_as_unset(environment):
    """Compose files set what they don't know to nothing."""
    environment(**GOOD, GITHUB_TOKEN="", REDIS_URL="")
    assert load().github_token is None
    assert load().redis_url.startswith("redis://")
