"""compose.yaml: the same processes as the Procfile, and a Redis that loses nothing."""

import re
import shlex

import pytest
import yaml

from config.settings import Settings, variable
from local.shares import WITHHELD, share
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


def test_no_service_can_change_itself_or_gain_a_privilege(services):
    """Read-only images, no capabilities, no set-uid programs; Redis is not root either."""
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert services["redis"]["user"] == "redis"


def test_every_image_can_be_pinned_by_its_digest(services):
    """The Dockerfile's base is an argument, Compose takes both from variables; it is said how."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^ARG (\w+)=\S+$", dockerfile, re.MULTILINE) == ["BASE"]
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${BASE}"}
    for name in ("web", "worker", "beat"):
        build = services[name]["build"]
        assert build == {"context": ".", "args": {"BASE": "${BASE_IMAGE:-python:3.11-slim}"}}
    assert services["redis"]["image"] == "${REDIS_IMAGE:-redis:7-alpine}"
    told = (ROOT / "docs" / "operating.md").read_text()
    for text in ("BASE_IMAGE=python:3.11-slim@", "REDIS_IMAGE=redis:7-alpine@", "imagetools"):
        assert text in told


def test_each_service_hides_the_secrets_that_it_has_no_use_for(services):
    """The same as `make run` withholds: empty in Compose, which counts as unset."""
    secret = {
        variable(name)
        for name, field in Settings.model_fields.items()
        if "Secret" in str(field.annotation) or "app" in name
    } | {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    assert {"GITHUB_TOKEN", "SMTP_URL", "SLIPWAY_API_TOKENS", "SLIPWAY_SECRET_KEY"} <= secret
    for name in WITHHELD:
        given = share(name, dict.fromkeys(secret, "x"))
        hidden = {key for key, value in services[name]["environment"].items() if value == ""}
        assert hidden == secret - set(given), name


EVERYTHING = {
    **dict.fromkeys(map(variable, Settings.model_fields), "x"),
    **dict.fromkeys(
        [
            "AWS_PROFILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "aws_session_token",
            "GITHUB_TOKEN_OF_SOMEBODY",
            "GH_TOKEN",
            "A_SECRET_OF_ANOTHER_NAME",
        ],
        "x",
    ),
}
"""What may stand in `.env`."""


def given(service: dict) -> set[str]:
    """The variables that a service gets of a `.env` with everything, as Compose shares them out."""
    found = dict(EVERYTHING) if service.get("env_file") == ".env" else {}
    for name, value in service["environment"].items():
        found[name] = EVERYTHING.get(name) if value is None else value
    return {name for name, value in found.items() if value}


def test_web_and_beat_get_no_credential_of_any_name(services):
    """What stands in `.env` and is no setting of theirs does not reach them."""
    assert {"GH_TOKEN", "AWS_PROFILE", "GITHUB_TOKEN"} <= given(services["worker"])
    settings = set(map(variable, Settings.model_fields))
    for name in ("web", "beat"):
        found = given(services[name])
        assert found <= settings, name
        assert found <= set(share(name, EVERYTHING)), name
    assert "GITHUB_WEBHOOK_SECRET" in given(services["web"])
    assert not {"GITHUB_WEBHOOK_SECRET", "SLIPWAY_API_TOKENS"} & given(services["worker"])


def test_web_and_beat_get_what_they_read(services):
    """Every setting that the code of the web process asks for, secrets of the door included."""
    asked = set()
    for path in (ROOT / "service").rglob("*.py"):
        if "cli" not in path.parts:
            asked |= set(re.findall(r"(?:settings|chosen|_settings)\.(\w+)", path.read_text()))
    read = {variable(name) for name in asked & set(Settings.model_fields)}
    read.add("SLIPWAY_PUBLIC_URL")
    assert {"SLIPWAY_API_TOKENS", "SLACK_SIGNING_SECRET"} <= read
    assert read - given(services["web"]) == set()
    beat = {"SLIPWAY_SWEEP_SECONDS", "SLIPWAY_POLL_SECONDS", "SLIPWAY_QUEUES", "REDIS_URL"}
    assert beat <= given(services["beat"])


def test_the_web_process_gets_neither_aws_keys_nor_githubs_token():
    """And the worker gets neither tokens of people nor the key of their sessions."""
    everything = {
        "AWS_SECRET_ACCESS_KEY": "a",
        "AWS_PROFILE": "p",
        "aws_session_token": "b",
        "GITHUB_TOKEN": "c",
        "GITHUB_WEBHOOK_SECRET": "d",
        "SLIPWAY_API_TOKENS": "e",
        "SLIPWAY_SECRET_KEY": "f",
        "PATH": "/bin",
    }
    assert set(share("web", everything)) == {
        "GITHUB_WEBHOOK_SECRET",
        "SLIPWAY_API_TOKENS",
        "SLIPWAY_SECRET_KEY",
        "PATH",
    }
    kept = share("worker", everything)
    assert "AWS_SECRET_ACCESS_KEY" in kept
    assert not {"SLIPWAY_API_TOKENS", "SLIPWAY_SECRET_KEY"} & set(kept)
