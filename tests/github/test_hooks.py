"""Installing a webhook, once and again."""

import logging
from typing import Any

import pytest
from github.Hook import Hook

from tests.github.conftest import NAME
from tests.stand_ins.github import GitHub
from workers.github import hooks
from workers.github.client import GitHub as Client
from workers.ledger.model.errors import OurError, PassingError

URL = "http://127.0.0.1:9/webhooks/github"


def test_a_webhook_is_created_once(hub: GitHub, client: Client) -> None:
    """The first time makes it, the second finds it right."""
    assert hooks.install(client, NAME, URL, "s3cret") == "created"
    (hook,) = hub.hooks_of(NAME)
    assert (hook.url, hook.secret, hook.content_type) == (URL, "s3cret", "json")
    assert sorted(hook.events) == ["pull_request", "push"]
    assert (hook.active, hook.insecure_ssl) == (True, "0")
    assert hooks.install(client, NAME, URL, "s3cret") == "unchanged"
    assert len(hub.hooks_of(NAME)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": ["push"]},
        {"events": ["push", "pull_request", "issues"]},
        {"events": ["*"]},
        {"content_type": "form"},
        {"insecure_ssl": "1"},
        {"active": False},
        {"secret": None},
    ],
)
def test_a_webhook_that_is_wrong_is_repaired(
    hub: GitHub, client: Client, wrong: dict[str, Any]
) -> None:
    """Events, content type, certificate checks, secret and activity are put right."""
    hub.add_hook(NAME, "https://other.example/hook", secret="theirs")
    hub.add_hook(NAME, URL, **({"secret": "s3cret"} | wrong))
    assert hooks.install(client, NAME, URL, "s3cret") == "repaired"
    other, hook = hub.hooks_of(NAME)
    assert other.secret == "theirs"
    assert sorted(hook.events) == ["pull_request", "push"]
    assert (hook.secret, hook.content_type, hook.insecure_ssl) == ("s3cret", "json", "0")
    assert hook.active


def test_a_hook_that_names_another_address_is_repaired(
    hub: GitHub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GitHub behind a proxy says where it believes to be, or nothing."""
    for url in ("https://github.internal/api/v3/repos/x/y/hooks/1", None):
        monkeypatch.setattr(Hook, "url", property(lambda _, url=url: url))
        hooks.install(client, NAME, URL, "s3cret")
        assert hooks.install(client, NAME, URL, "s3cret") == "unchanged"
    assert len(hub.hooks_of(NAME)) == 1


def test_a_new_secret_is_written(hub: GitHub, client: Client) -> None:
    """A rotated secret reaches GitHub although the old one can't be read."""
    hooks.install(client, NAME, URL, "old")
    hooks.install(client, NAME, URL, "new")
    assert hub.hooks_of(NAME)[0].secret == "new"


def test_a_webhook_on_a_later_page_is_found(hub: GitHub, client: Client) -> None:
    """Many other webhooks don't hide ours."""
    for number in range(45):
        hub.add_hook(NAME, f"https://other.example/{number}")
    hub.add_hook(NAME, URL, secret="s3cret")
    assert hooks.install(client, NAME, URL, "s3cret") == "unchanged"


def test_what_github_refuses_is_told(hub: GitHub, client: Client) -> None:
    """Each way to fail says whose turn it is."""
    with pytest.raises(OurError, match="set GITHUB_TOKEN"):
        hooks.install(Client(hub.api_url), NAME, URL, "s")
    with pytest.raises(OurError, match="check its name"):
        hooks.install(client, "watchlist/nowhere", URL, "s")
    hub.fail_next("GET", "/hooks", status=502)
    with pytest.raises(PassingError):
        hooks.install(client, NAME, URL, "s")
    for number in range(20):
        hub.add_hook(NAME, f"https://other.example/{number}")
    with pytest.raises(OurError, match="more than 20 hooks"):
        hooks.install(client, NAME, URL, "s")


def test_the_secret_gets_into_no_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Not even with logging at DEBUG."""
    caplog.set_level(logging.DEBUG)
    hooks.install(client, NAME, URL, "s3cret-canary")
    assert "s3cret-canary" not in caplog.text
