"""What a worker says of its surroundings at its start."""

import socket
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from config.server import parse
from config.settings import Settings
from tests.e2e.conftest import OPERATOR
from workers.process import surroundings
from workers.process.surroundings import Place
from workers.workshop import Workshop


def shop(tmp_path: Path, more: str = "", **chosen: Any) -> Workshop:
    """A workshop whose engine is the test's."""
    settings = {"config": tmp_path, "github_webhook_secrets": "a-secret-of-github"} | chosen
    return Workshop(Settings(**settings), parse(OPERATOR + more))


def told(one: Workshop) -> dict[str, Any]:
    """The one event that it logs."""
    with capture_logs() as events:
        surroundings.tell(one)
    (event,) = events
    assert event["event"] == "isolation"
    return dict(event)


def test_what_takes_a_connection_is_named():
    """A listener is found, a closed port is not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        places = [Place("here", "127.0.0.1", port), Place("nobody", "127.0.0.1", 1)]
        assert [str(one) for one in surroundings.answering(places)] == [f"here at 127.0.0.1:{port}"]


@pytest.mark.docker
def test_a_network_that_the_engine_lacks_is_named(docker_host: str, tmp_path: Path):
    """The operator learns at the start what runs would end with."""
    event = told(shop(tmp_path, check_network="no-such-network", build_network="none"))
    assert event["missing"] == ["no-such-network"]
    assert event["log_level"] == "warning"
    assert event["networks"] == {
        "checks": "no-such-network",
        "builds of deploy": "none",
        "builds of review": "none",
    }


@pytest.mark.docker
def test_without_networks_nothing_is_asked(docker_host: str, tmp_path: Path):
    """What no build and no check could reach is of no interest."""
    more = '[builds]\nnetwork = { deploy = "none", review = "none" }'
    event = told(shop(tmp_path, more, check_network="none", build_network="default"))
    assert (event["missing"], event["answered"], event["log_level"]) == ([], [], "info")


@pytest.mark.docker
def test_a_ledger_on_the_bridge_is_named(
    bridged_host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What listens on all addresses answers on the bridge's, where containers are."""
    monkeypatch.setenv("DOCKER_HOST", bridged_host)
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        one = shop(tmp_path, check_network="bridge", redis_url=f"redis://127.0.0.1:{port}/0")
        event = told(one)
    assert any(place.endswith(f":{port}") for place in event["answered"])
    assert event["missing"] == []


def test_an_engine_that_is_away_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is no reason not to start."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nowhere.sock")
    assert "not reachable" in told(shop(tmp_path))["unknown"]
