"""`make run`: the Procfile's processes on real services, or a complaint about what is missing."""

import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from redis import Redis
from redis.exceptions import AuthenticationError

from local.ports import free_port
from local.process import answers
from local.redis import EmbeddedRedis
from tests.e2e.conftest import OPERATOR

pytestmark = pytest.mark.e2e
SECRETS = {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "GITHUB_WEBHOOK_SECRET"}
NOTHING = {"SLIPWAY_CONFIG": None, "GITHUB_WEBHOOK_SECRET": None, "REDIS_URL": None}


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str | None]:
    """What it needs, and no REDIS_URL."""
    (tmp_path / "server.toml").write_text(OPERATOR)
    return {
        "SLIPWAY_CONFIG": str(tmp_path / "server.toml"),
        "SLIPWAY_DATA_DIR": str(tmp_path / "data"),
        "GITHUB_WEBHOOK_SECRET": "a secret of github",
        "PORT": str(free_port()),
        "REDIS_URL": None,
        "AWS_SECRET_ACCESS_KEY": "a secret of aws",
        "GITHUB_TOKEN": "a token of github",
    }


def test_it_complains_once_about_everything_that_is_missing(start):
    """All missing variables are named, once, and nothing is started."""
    run = start("local.run", **NOTHING)
    assert run.process.wait(30) == 2, run.output
    assert run.output.count("SLIPWAY_CONFIG") == 1
    assert run.output.count("GITHUB_WEBHOOK_SECRET") == 1
    assert run.left() == []


def test_it_serves_on_port_with_a_redis_of_its_own(start, variables, tmp_path: Path):
    """The ledger is ready on PORT, kept in the data directory, and SIGTERM ends everything."""
    run = start("local.run", **variables)
    url = f"http://127.0.0.1:{variables['PORT']}"
    run.said("worker |")
    deadline = time.monotonic() + 60
    while not answers(f"{url}/readyz"):
        assert time.monotonic() < deadline, run.output
        time.sleep(0.1)
    assert requests.get(f"{url}/readyz", timeout=10).json() == {"status": "ok"}
    assert (tmp_path / "data" / "redis" / "appendonly.aof").exists() or list(
        (tmp_path / "data" / "redis" / "appendonlydir").iterdir()
    )
    held = dict(secrets_of(str(tmp_path / "data")))
    assert held["gunicorn"] == {"GITHUB_WEBHOOK_SECRET"}
    assert held["workers"] == {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"}
    assert held["beat"] == set()
    assert (tmp_path / "data" / "secret-key").stat().st_mode & 0o777 == 0o600
    run.end(signal.SIGTERM)
    assert run.left() == []


def test_its_redis_is_nobodys_but_its_own(start, variables, tmp_path: Path):
    """A check on the machine's network finds the port, and a Redis that asks who it is."""
    with EmbeddedRedis(tmp_path / "open") as redis, Redis.from_url(redis.url) as stranger:
        assert stranger.set("vote", "yes"), "the attempt strikes"
    run = start("local.run", **variables)
    run.said("worker |")
    folder = tmp_path / "data" / "redis"
    (port,) = re.findall(r"port[ =](\d+)", (folder / "redis.log").read_text())[:1]
    password = (folder / "password.conf").read_text().split()[1]
    assert len(password) == 40
    assert (folder / "password.conf").stat().st_mode & 0o777 == 0o600
    with Redis(port=int(port)) as stranger, pytest.raises(AuthenticationError):
        stranger.set("vote", "yes")
    with Redis(port=int(port), password=password) as ours:
        assert ours.ping()
    assert password not in run.output
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(password.encode() in command for command in commands)
    run.end()
    assert run.left() == []


def secrets_of(data: str) -> Iterator[tuple[str, set[str]]]:
    """The processes with this data folder, and which of three secrets each has been given."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # Also of the shell that starts it, whose line is one word.
            words = (folder / "cmdline").read_text().replace("\0", " ")
            given = {
                line.partition("=")[0] for line in (folder / "environ").read_text().split("\0")
            }
            name = next((n for n in ("gunicorn", "beat", "workers") if n in words), "")
            if name and f"={data}\0" in (folder / "environ").read_text():
                yield name, given & SECRETS


def test_one_process_that_fails_ends_the_others(start, variables):
    """A taken port ends everything with an exit code that says so, without trying for ever."""
    first = start("local.run", **variables)
    first.said("Listening at")
    second = start("local.run", **variables | {"REDIS_URL": "redis://127.0.0.1:1/0"})
    assert second.process.wait(120) != 0
    assert second.left() == []
    first.end()
    assert first.left() == []
