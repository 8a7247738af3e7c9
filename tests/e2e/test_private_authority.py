"""GitHub Enterprise Server behind a private certificate authority."""

import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import BUCKET, FUNCTION, OPERATOR, REPOSITORY, World, small
from tests.stand_ins.github import TOKEN, GitHub
from tests.stand_ins.github.payloads import Links
from tests.stand_ins.slipway import SECRET, Slipway
from tests.stand_ins.tls import Tls

pytestmark = pytest.mark.e2e


@pytest.fixture
def behind(tmp_path, aws, redis, redis_server, docker_host, python_image):
    """Makes a world whose GitHub has a certificate of its own; keywords are more variables."""
    del redis, python_image
    with Tls(tmp_path / "tls") as tls, GitHub(tmp_path / "github") as github:
        github.links = Links(tls.url, tls.url)
        tls.upstream = urlsplit(github.url).port
        github.create_repository(REPOSITORY)
        aws.create_bucket(BUCKET)
        aws.create_function(FUNCTION)
        environment = {
            "REDIS_URL": redis_server.url,
            "GITHUB_API_URL": tls.url,
            "GITHUB_TOKEN": TOKEN,
            "DOCKER_HOST": docker_host,
            "SLIPWAY_LEASE_SECONDS": "3",
            "SLIPWAY_SWEEP_SECONDS": "1",
            # This machine's own, if it has one.
            "GIT_SSL_CAINFO": "",
            **aws.environment(),
        }
        started = []

        def make(*names: str) -> World:
            more = dict.fromkeys(names, str(tls.authority))
            slipway = Slipway(tmp_path / "slipway", OPERATOR, environment | more)
            started.append(slipway)
            slipway.start()
            github.add_hook(REPOSITORY, f"{slipway.url}/webhooks/github", SECRET)
            return World(github, aws, slipway)

        yield make
        for slipway in started:
            slipway.stop()


def hook_install(world):
    """`slipway hook install` in that world."""
    program = Path(sys.executable).parent / "slipway"
    environment = {**world.slipway.environment, "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [str(program), "hook", "install", REPOSITORY],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["SLIPWAY_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_private_authority_is_trusted(behind, name):
    """Git, the API and the command line take the server's certificate: a push goes live."""
    world = behind(name)
    commit = world.push(small())
    run = world.ended(commit)
    assert run["state"] == "succeeded", world.story(run)
    assert set(world.statuses(commit).values()) == {"success"}
    done = hook_install(world)
    assert done.returncode == 0, done.stderr


def test_without_it_the_run_says_what_is_wrong(behind):
    """The certificate is named as the reason, and the variable that helps."""
    world = behind()
    run = world.run_of(world.push(small()))
    end = time.monotonic() + 60
    while world.slipway.run(run["id"])["state"] != "failed":
        assert time.monotonic() < end, world.story(run)
        time.sleep(0.1)
    error = world.slipway.run(run["id"])["error"]
    assert "certificate" in error
    assert "SLIPWAY_CA_BUNDLE" in error
    said = hook_install(world).stderr
    assert "certificate" in said
    assert "SLIPWAY_CA_BUNDLE" in said
