"""Tests of reaching the engine and of finding a client that can build."""

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from workers.docker.engine import Engine
from workers.ledger.model.errors import OurError, PassingError

OLD = 'case "$1" in --version) echo "Docker version 20.10.24, build 1";; *) exit 1;; esac'
NEW = OLD.replace("20.10.24", "28.2.2")
WITH_BUILDX = 'case "$1" in buildx) echo "github.com/docker/buildx v0.20 1";; *) exit 1;; esac'
BROKEN = "exit 127"


def clients(tmp_path: Path, *scripts: str) -> str:
    """A PATH with one `docker` in each of its folders."""
    folders = []
    for number, script in enumerate(scripts):
        folder = tmp_path / str(number)
        folder.mkdir()
        client = folder / "docker"
        client.write_text(f"#!/bin/sh\n{script}\n")
        client.chmod(client.stat().st_mode | stat.S_IXUSR)
        folders.append(str(folder))
    return os.pathsep.join(folders) or str(tmp_path)


@pytest.mark.parametrize(
    ("scripts", "number", "arguments", "variable"),
    [
        ((BROKEN, NEW, OLD), 2, ("build",), ("DOCKER_BUILDKIT", "1")),
        (
            (OLD, NEW, WITH_BUILDX),
            2,
            ("buildx", "build", "--load"),
            ("BUILDX_NO_DEFAULT_ATTESTATIONS", "1"),
        ),
    ],
)
def test_a_client_that_can_build_is_found(
    tmp_path: Path, scripts: tuple, number: int, arguments: tuple, variable: tuple
):
    """The first client with buildx is taken, else the first from before version 23."""
    builder = Engine({"PATH": clients(tmp_path, *scripts)}).builder()
    assert builder.arguments == (str(tmp_path / str(number) / "docker"), *arguments)
    assert variable in builder.environment.items()


@pytest.mark.parametrize("scripts", [(), (NEW, BROKEN)])
def test_without_a_client_it_says_what_to_install(tmp_path: Path, scripts: tuple):
    """A machine whose clients can't build gets the names of the packages."""
    with pytest.raises(OurError, match="install docker-buildx") as caught:
        Engine({"PATH": clients(tmp_path, *scripts)}).builder()
    assert all(str(tmp_path / str(number)) in str(caught.value) for number in range(len(scripts)))


def test_secrets_do_not_reach_the_clients(tmp_path: Path):
    """Only Docker's own variables are passed on."""
    given = {"PATH": clients(tmp_path, OLD), "DOCKER_CONFIG": "/c", "GITHUB_TOKEN": "canary"}
    builder = Engine(given | {"AWS_SECRET_ACCESS_KEY": "canary", "HOME": ""}).builder()
    assert set(builder.environment) == {"PATH", "DOCKER_CONFIG", "DOCKER_HOST", "DOCKER_BUILDKIT"}


@pytest.mark.parametrize("host", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"])
def test_an_engine_out_of_reach_is_a_passing_fault(host: str):
    """Nobody there: to be tried again, with the address in the text."""
    with pytest.raises(PassingError, match=f"Docker is not reachable at {host}"):
        Engine({"DOCKER_HOST": host}).ping()


def test_an_engine_that_hangs_is_a_passing_fault():
    """An engine that takes the connection and says nothing does not hang the worker."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(PassingError, match="not reachable"):
            Engine({"DOCKER_HOST": host}, seconds=1).ping()


def test_an_engine_that_goes_away_is_a_passing_fault():
    """A connection that breaks off in the answer is to be tried again."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(PassingError, match="not reachable"):
            Engine({"DOCKER_HOST": f"tcp://127.0.0.1:{server.getsockname()[1]}"}).ping()
        thread.join()


def test_wrong_tls_settings_are_the_operators(tmp_path: Path):
    """A certificate that is not there is not cured by waiting."""
    given = {
        "DOCKER_HOST": "tcp://127.0.0.1:1",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(tmp_path),
    }
    with pytest.raises(OurError, match="DOCKER_CERT_PATH"):
        Engine(given).ping()


@pytest.mark.docker
def test_the_real_engine_answers(real_engine: Engine):
    """The engine answers, knows its networks and has a client that can build."""
    real_engine.ping()
    assert real_engine.has_network("none")
    assert not real_engine.has_network("non")
    assert "build" in real_engine.builder().arguments
