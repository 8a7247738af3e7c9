"""compose.yaml: the same processes as the Procfile, and a Redis that loses nothing."""

import re
import shlex

import pytest
import yaml

from tests.demo.conftest import ROOT


@pytest.fixture(scope="module")
def services() -> dict:
    """The services, as Compose reads them."""
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def test_the_services_are_the_procfile_and_redis(services):
    """Web, worker and beat run the Procfile's commands."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    commands = {
        name: shlex.split(command) for name, _, command in (x.partition(":") for x in lines)
    }
    assert set(services) == {*commands, "redis"}
    assert {name: services[name]["command"] for name in commands} == commands


def test_redis_loses_and_evicts_nothing(services):
    """The append-only file is written at each command, and kept in a volume."""
    words = services["redis"]["command"]
    settings = dict(zip(words[1::2], words[2::2], strict=True))
    assert settings["--appendonly"] == "yes"
    assert settings["--appendfsync"] == "always"
    assert settings["--maxmemory-policy"] == "noeviction"
    assert services["redis"]["volumes"] == ["redis:/data"]


def test_redis_asks_for_a_password_that_has_no_default(services):
    """All of Slipway knows it; without one in .env nothing starts."""
    words = services["redis"]["command"]
    settings = dict(zip(words[1::2], words[2::2], strict=True))
    assert settings["--requirepass"] == "${REDIS_PASSWORD}"
    for name in ("web", "worker", "beat"):
        assert re.match(
            r"redis://:\$\{REDIS_PASSWORD:\?", services[name]["environment"]["REDIS_URL"]
        )


def test_only_the_worker_reaches_docker(services):
    """Docker's socket is mounted in one service."""
    mounts = {name: " ".join(service.get("volumes", [])) for name, service in services.items()}
    assert [name for name, paths in mounts.items() if "docker.sock" in paths] == ["worker"]


def test_each_service_says_how_it_is_and_how_long_it_may_take_to_stop(services):
    """Healthcheck and grace period everywhere."""
    for name, service in services.items():
        assert service["healthcheck"]["test"], name
        assert service["stop_grace_period"], name
