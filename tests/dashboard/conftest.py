"""The web application on a real Redis, and somebody who looks at its pages."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from config.server import parse
from config.settings import Settings
from local.redis import EmbeddedRedis
from service import create_app

TOKEN = "anns-own-token"
OPERATOR = """
[environments.sandbox]
branch = "develop"

[environments.production]
branch = "master"

[[repositories]]
name = "watchlist/movies-loader"
functions = ["MoviesLoader"]
bucket = "packages"

[[repositories]]
name = "watchlist/*"
functions = ["*"]
bucket = "packages"
"""


def settings(redis_url: str, **changes: object) -> Settings:
    """Settings of a web process."""
    fields: dict[str, object] = {
        "config": Path("server.toml"),
        "redis_url": redis_url,
        "api_tokens": f"ann:{TOKEN}",
        "github_webhook_secrets": "a webhook secret",
        "public_url": "https://slipway.example/",
    }
    return Settings.model_validate(fields | changes)


class Reader:
    """A browser, as far as the pages can tell."""

    def __init__(self, app: Flask) -> None:
        self.browser: FlaskClient = app.test_client()

    def get(self, path: str, **options: object) -> TestResponse:
        """Open a page."""
        return self.browser.get(path, base_url="https://slipway.example", **options)

    def text(self, path: str) -> str:
        """The HTML of a page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def token_in(self, path: str) -> str:
        """The token of a page's forms."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        assert found, "no form"
        return found[1]

    def post(self, path: str, page: str = "/runs", headers=(), **fields: str) -> TestResponse:
        """Send a form of a page, as a browser sends it."""
        fields.setdefault("csrf_token", self.token_in(page))
        return self.browser.post(
            path,
            base_url="https://slipway.example",
            data=fields,
            headers={"Origin": "https://slipway.example"} | dict(headers),
        )

    def sign_in(self, token: str = TOKEN, next_page: str = "/runs") -> TestResponse:
        """Send the form of the sign-in page."""
        return self.post("/sign-in", "/sign-in", token=token, next=next_page)


@pytest.fixture
def app(redis: Redis, redis_server: EmbeddedRedis) -> Flask:
    """The web application with an empty ledger."""
    return create_app(settings(redis_server.url), parse(OPERATOR))


@pytest.fixture
def stranger(app: Flask) -> Reader:
    """Somebody who has not signed in."""
    return Reader(app)


@pytest.fixture
def ann(app: Flask) -> Reader:
    """Somebody who has."""
    reader = Reader(app)
    assert reader.sign_in().status_code == 303
    return reader
