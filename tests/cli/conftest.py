"""The `slipway` command against a real web server on a real Redis."""

import threading
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from redis import Redis
from werkzeug.serving import make_server

from config.server import parse
from config.settings import settings as process_settings
from local.redis import EmbeddedRedis
from service import create_app
from service.cli import main
from tests.dashboard.conftest import OPERATOR, TOKEN, settings

OURS = ("SLIPWAY_", "GITHUB_", "REDIS_")
Command = Callable[..., Result]


@pytest.fixture
def slipway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs the command with these words and an environment of its own."""
    import os

    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)

    def run(*words: str, **environment: str) -> Result:
        process_settings.cache_clear()
        result = CliRunner(env=dict(environment)).invoke(main, words)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    yield run
    process_settings.cache_clear()


@pytest.fixture
def app(redis: Redis, redis_server: EmbeddedRedis) -> Flask:
    """The web application; its ledger is empty."""
    return create_app(settings(redis_server.url), parse(OPERATOR))


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    """A web server's address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ask(slipway: Command, url: str) -> Command:
    """Runs the command for somebody with a token."""

    def run(*words: str, **environment: str) -> Result:
        return slipway(*words, **{"SLIPWAY_URL": url, "SLIPWAY_TOKEN": TOKEN} | environment)

    return run
