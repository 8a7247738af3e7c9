"""A GitHub App instead of a token: its installations and their tokens."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.github.conftest import NAME
from tests.stand_ins.github import TOKEN, GitHub
from workers.github import statuses
from workers.github.client import GitHub as Client
from workers.ledger.model.errors import OurError, PassingError


@pytest.fixture(scope="module")
def key() -> str:
    """A private key in PEM form."""
    pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return pair.private_bytes(kind, form, serialization.NoEncryption()).decode()


@pytest.fixture
def app(hub: GitHub, key: str) -> Client:
    """A client that is an App."""
    return Client(hub.api_url, app_id="1", private_key=key)


def post(client: Client, sha: str, repository: str = NAME) -> None:
    """Post a status."""
    statuses.post(client, repository, sha, context="c", state="success", description="d")


def asked(hub: GitHub) -> list[str]:
    """The last words of the paths that were asked for."""
    return [request.path.rpartition("/")[2] for request in hub.requests]


def test_an_app_asks_once_for_installation_and_token(hub: GitHub, app: Client, sha: str) -> None:
    """Later statuses and fetches use what is known, also for the owner's other repositories."""
    post(app, sha)
    post(app, sha)
    token = app.credentials(NAME)
    assert token in hub.tokens - {TOKEN}
    assert asked(hub) == ["installation", "access_tokens", sha, sha]
    hub.create_repository("watchlist/other")
    assert app.credentials("watchlist/other") == token
    assert asked(hub)[4:] == ["installation"]


def test_an_app_that_was_installed_anew_is_found(hub: GitHub, app: Client, sha: str) -> None:
    """A token that is refused makes the installation be looked up once more."""
    token = app.credentials(NAME)
    assert token
    hub.revoke_token(token)
    post(app, sha)
    assert hub.latest(NAME, sha)["c"].state == "success"
    assert app.credentials(NAME) != token


def test_an_app_that_is_not_installed_says_so(app: Client) -> None:
    """A repository without the App is the operator's turn."""
    with pytest.raises(OurError, match="install the GitHub App"):
        app.credentials("watchlist/nowhere")


def test_trouble_while_asking_for_a_token_passes(hub: GitHub, app: Client) -> None:
    """A 502 on the way to a token is a passing fault."""
    hub.fail_next("POST", "access_tokens", status=502)
    with pytest.raises(PassingError, match="asking for a token"):
        app.credentials(NAME)
    assert app.credentials(NAME)


@pytest.mark.parametrize("private_key", ["nonsense", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"])
def test_an_unreadable_key_is_refused_at_once(hub: GitHub, private_key: str) -> None:
    """The error names the variable and shows nothing of the key."""
    with pytest.raises(OurError, match="GITHUB_APP_PRIVATE_KEY") as caught:
        Client(hub.api_url, app_id="1", private_key=private_key)
    assert private_key not in str(caught.value)


def test_a_token_is_given_to_git_as_it_is(hub: GitHub) -> None:
    """With GITHUB_TOKEN git uses the same; without anything there is none."""
    assert Client(hub.api_url, token=f"{TOKEN}\n").credentials(NAME) == TOKEN
    assert Client(hub.api_url).credentials(NAME) is None
    assert hub.requests == []
