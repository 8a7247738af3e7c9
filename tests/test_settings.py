"""The environment is read once, and complained about once, as a whole."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from config.settings import Settings, SettingsError, WorkSettings, load, variable
from config.settings.secret_key import cookie_key, keeps_key
from config.settings.weak_secrets import short_secrets

GOOD = {
    "SLIPWAY_CONFIG": "server.toml",
    "GITHUB_WEBHOOK_SECRET": "secret-number-one, secret-number-two",
}


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


def test_who_hears_no_deliveries_needs_no_webhook_secret(environment):
    """Workers and beat start without one; one that is there is judged all the same."""
    environment(SLIPWAY_CONFIG="server.toml")
    with pytest.raises(SettingsError, match="GITHUB_WEBHOOK_SECRET"):
        load()
    assert load(WorkSettings).github_webhook_secrets == ()
    environment(GITHUB_WEBHOOK_SECRET="elevenchars")
    with pytest.raises(SettingsError, match="GITHUB_WEBHOOK_SECRET"):
        load(WorkSettings)


def test_an_app_goes_with_its_key(environment):
    """A GitHub App without a private key, or a key without an App, is half a credential."""
    environment(**GOOD, GITHUB_APP_ID="1")
    with pytest.raises(SettingsError, match="GITHUB_APP_PRIVATE_KEY"):
        load()


def test_an_app_without_its_key_is_said_with_all_else(environment):
    """What else is wrong doesn't hide it."""
    environment(**GOOD, GITHUB_APP_ID="1", PORT="0")
    with pytest.raises(SettingsError) as error:
        load()
    named = {line.partition(":")[0] for line in str(error.value).splitlines()}
    assert named == {"PORT", "GITHUB_APP_PRIVATE_KEY_FILE"}


WRONG = [
    ("GITHUB_API_URL", "api.github.com"),
    ("GITHUB_API_URL", "https://api.github.com/?x"),
    ("GITHUB_APP_PRIVATE_KEY", "no key"),
    ("GITHUB_APP_PRIVATE_KEY_FILE", "/nope"),
    ("GITHUB_APP_PRIVATE_KEY_FILE", "/"),
    ("GITHUB_APP_PRIVATE_KEY_FILE", __file__),
    ("REDIS_URL", "127.0.0.1:6379"),
    ("REDIS_URL", "http://127.0.0.1:6379"),
    ("REDIS_URL", "redis://127.0.0.1:port"),
    ("REDIS_URL", "redis://127.0.0.1/first"),
    ("SLIPWAY_API_TOKENS", "ada:number-one-of-ada,ada:number-two-of-ada"),
    ("SLIPWAY_API_TOKENS", "ada:number-one-of-ada,bob:x"),
    ("SLIPWAY_API_TOKENS", "ada:elevenchars"),
    ("GITHUB_WEBHOOK_SECRET", "x"),
    ("GITHUB_WEBHOOK_SECRET", "secret-number-one,elevenchars"),
    ("SLACK_SIGNING_SECRET", "elevenchars"),
    ("SONAR_WEBHOOK_SECRET", "elevenchars"),
    ("SLIPWAY_SECRET_KEY", "elevenchars"),
    ("SLIPWAY_TRUSTED_PROXIES", "proxy.example.com"),
    ("SLIPWAY_TRUSTED_PROXIES", "10.0.0.0/8,10.0.0.300"),
    ("SLIPWAY_BUILD_NETWORK", "bridge"),
    ("SLIPWAY_CHECK_MEMORY", "much"),
    ("SLIPWAY_LEASE_SECONDS", "inf"),
    ("SLIPWAY_PUBLIC_URL", "slipway.example.com"),
    ("SLIPWAY_QUEUES", "builds"),
    ("SLIPWAY_QUEUES", ","),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_can_not_work_is_refused_at_start(environment, name, value):
    """One line, with the variable's name; nobody has to wait for the first push."""
    environment(**GOOD | {name: value})
    if name.startswith("GITHUB_APP"):
        environment(GITHUB_APP_ID="1")
    with pytest.raises(SettingsError) as error:
        load()
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{name}: ")
    assert "Value error" not in line


def test_a_short_secret_is_refused_with_whose_turn_it_is(environment):
    """The sentence names the place and what to do, and neither the owner nor the value."""
    environment(**GOOD, SLIPWAY_API_TOKENS="ada:number-one-of-ada,elevenchars:bobbobbob")
    with pytest.raises(SettingsError) as error:
        load()
    (line,) = str(error.value).splitlines()
    assert line.startswith("SLIPWAY_API_TOKENS: number 2 has fewer than 12 characters")
    assert "whoever operates Slipway" in line
    assert "elevenchars" not in line
    assert "bob" not in line


def test_what_is_long_enough_to_start_and_no_more_is_told(environment):
    """From 12 characters on Slipway starts; under 20 the variable is among those to warn of."""
    secret = "x" * 12
    environment(SLIPWAY_CONFIG="server.toml", GITHUB_WEBHOOK_SECRET=f"{'y' * 20},{secret}")
    assert short_secrets(load()) == ("GITHUB_WEBHOOK_SECRET",)
    environment(GITHUB_WEBHOOK_SECRET="y" * 20, SLIPWAY_API_TOKENS=f"ada:{'z' * 19}")
    assert short_secrets(load()) == ("SLIPWAY_API_TOKENS",)
    environment(SLIPWAY_API_TOKENS=f"ada:{'z' * 20}", SLACK_SIGNING_SECRET="s" * 19)
    assert short_secrets(load()) == ("SLACK_SIGNING_SECRET",)
    environment(SLACK_SIGNING_SECRET="s" * 20, SONAR_WEBHOOK_SECRET="s" * 20)
    assert short_secrets(load()) == ()


def test_the_cookies_key_is_made_once_and_kept_for_its_owner_only(environment, tmp_path):
    """Whoever comes first makes it, with 40 characters and mode 0600; what is set goes before."""
    environment(**GOOD, SLIPWAY_DATA_DIR=str(tmp_path / "data"))
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: cookie_key(load()), range(8)))
    (key,) = keys
    assert len(key) == 40
    kept = list((tmp_path / "data").iterdir())
    assert [path.name for path in kept] == ["secret-key"]
    assert kept[0].stat().st_mode & 0o777 == 0o600
    assert kept[0].read_text().strip() == key
    environment(SLIPWAY_SECRET_KEY="a key that somebody has set")
    assert cookie_key(load()) == "a key that somebody has set"
    assert "a key that somebody has set" in load().secrets()


def test_a_key_that_can_not_be_kept_is_one_for_all_processes_and_said(environment, tmp_path):
    """Those that are forked share it; sessions end with them, which is told."""
    environment(**GOOD, SLIPWAY_DATA_DIR=str(tmp_path / "data"))
    assert keeps_key(load())
    (tmp_path / "file").write_text("no folder")
    environment(SLIPWAY_DATA_DIR=str(tmp_path / "file" / "data"))
    assert not keeps_key(load())
    assert len(cookie_key(load())) == 40
    assert cookie_key(load()) == cookie_key(load())
    environment(SLIPWAY_SECRET_KEY="a key that somebody has set")
    assert keeps_key(load())


def test_what_is_missing_says_what_it_is(environment):
    """Not only that a field is required."""
    environment()
    with pytest.raises(SettingsError, match="SLIPWAY_CONFIG: missing; set it to the operator's"):
        load()


def test_several_secrets_are_read_for_rotation(environment):
    """Secrets and tokens are lists with commas, and hidden wherever they are shown."""
    environment(**GOOD, SLIPWAY_API_TOKENS="ada:token-of-ada,bot:token-of-bot")
    chosen = load()
    assert [s.get_secret_value() for s in chosen.github_webhook_secrets] == [
        "secret-number-one",
        "secret-number-two",
    ]
    assert set(chosen.api_tokens) == {"ada", "bot"}
    for secret in ("secret-number-one", "token-of-ada"):
        assert secret in chosen.secrets()
        assert secret not in repr(chosen)


def test_an_empty_variable_counts_as_unset(environment):
    """Compose files set what they don't know to nothing."""
    environment(**GOOD, GITHUB_TOKEN="", REDIS_URL="")
    assert load().github_token is None
    assert load().redis_url.startswith("redis://")
