"""The Docker engine: found or started, shared, and gone with its last user."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import docker
import pytest

from local.packages import can_install
from local.process import SetUpError
from tests.stand_ins.engine import Engine
from tests.stand_ins.engine_probe import answers, find_client
from tests.stand_ins.images import ensure_images
from tests.stand_ins_self.test_process import eventually, lives

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
USER = """\
import sys, time
from pathlib import Path
import tests.stand_ins.engine
from tests.stand_ins.engine import Engine
tests.stand_ins.engine.DEFAULT_SOCKET = "unix:///nowhere/docker.sock"
with Engine(Path(sys.argv[1]), say=lambda line: None) as engine:
    print(engine.host, engine.pid, flush=True)
    sys.stdin.read()
"""
root_only = pytest.mark.skipif(not can_install(), reason="a private engine needs root and apt")


@pytest.fixture
def no_other_engine(monkeypatch):
    """As on a machine where no engine answers."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setattr("tests.stand_ins.engine.DEFAULT_SOCKET", "unix:///nowhere/docker.sock")


@pytest.fixture
def user(no_other_engine, tmp_path):
    """Another process that uses the engine of the same cache until its input is closed."""
    started = []

    def start():
        command = [sys.executable, "-c", USER, str(tmp_path)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        started.append(process)
        return process, process.stdout.readline().split()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_an_engine_that_answers_is_used_and_left_alone(engine, tmp_path):
    """With DOCKER_HOST set nothing is started and nothing is stopped."""
    with Engine(tmp_path) as found:
        assert found.host == engine.host == os.environ["DOCKER_HOST"]
        assert not found.private
    assert answers(engine.host)
    assert not (tmp_path / "engine").exists()


def test_the_engine_builds_with_buildkit(engine, tmp_path):
    """Its environment is enough to build files without an image, which only BuildKit can."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY film /\n")
    (tmp_path / "film").write_text("M")
    command = ["docker", "build", "--output", f"type=tar,dest={tmp_path / 'out.tar'}", tmp_path]
    env = {**os.environ, **engine.environment()}
    subprocess.run(command, env=env, check=True, capture_output=True, timeout=120)
    assert b"film" in (tmp_path / "out.tar").read_bytes()


@root_only
def test_a_private_engine_ends_and_keeps_its_images(no_other_engine, tmp_path):
    """After the end nothing runs and nothing is mounted; the next start finds the images."""
    with Engine(tmp_path) as first:
        assert first.private
        client = docker.DockerClient(base_url=first.host)
        client.api.import_image_from_data(b"\0" * 1024, repository="kept", tag="1")
        client.close()
        pid = first.pid
    assert not lives(pid)
    assert not first.run_dir.exists()
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
    with Engine(tmp_path) as second:
        client = docker.DockerClient(base_url=second.host)
        assert client.images.get("kept:1")
        client.close()


@root_only
def test_two_share_one_engine_until_the_second_has_gone(user, tmp_path):
    """Whoever comes second joins; whoever leaves first does not end it for the other."""
    first, (host, pid) = user()
    with Engine(tmp_path) as mine:
        assert (mine.host, mine.pid) == (host, int(pid))
        first.communicate("")
        assert answers(host)
        assert mine.pid == int(pid)
    assert not lives(int(pid))


@root_only
def test_a_user_that_is_killed_takes_the_engine_with_it(user):
    """SIGKILL of the only user leaves no engine behind."""
    first, (host, pid) = user()
    first.kill()
    assert eventually(lambda: not lives(int(pid)), seconds=30)
    assert eventually(lambda: not Path(host.removeprefix("unix://")).parent.exists())


@root_only
def test_an_engine_that_was_killed_is_replaced(user, no_other_engine, tmp_path):
    """Its pid file, its mounts and its containerd do not stand in the way of the next."""
    first, (_, pid) = user()
    os.kill(int(pid), signal.SIGKILL)
    first.kill()
    with Engine(tmp_path) as mine:
        assert answers(mine.host)
        assert mine.pid != int(pid)
    assert str(tmp_path) not in Path("/proc/mounts").read_text()


@root_only
def test_a_pid_file_with_the_number_of_a_stranger_is_harmless(no_other_engine, tmp_path):
    """After a reboot the number may belong to anybody: it is neither trusted nor killed."""
    mine = Engine(tmp_path)
    mine.run_dir.mkdir(mode=0o700)
    with subprocess.Popen(["sleep", "600"]) as stranger:
        (mine.run_dir / "docker.pid").write_text(str(stranger.pid))
        with mine:
            assert answers(mine.host)
        assert stranger.poll() is None
        stranger.kill()


@root_only
def test_a_long_path_is_no_hindrance(no_other_engine, tmp_path):
    """A socket's path is limited to 107 bytes; that of the checkout is not."""
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 6)
    with Engine(deep) as mine:
        assert answers(mine.host)


def test_without_rights_it_says_what_to_install(no_other_engine, tmp_path, monkeypatch):
    """Somebody who may not install anything gets instructions."""
    monkeypatch.setattr("tests.stand_ins.engine.can_install", lambda: False)
    with pytest.raises(SetUpError, match="install Docker Engine with its buildx plugin"):
        Engine(tmp_path).start()


def test_a_client_that_cannot_build_is_passed_over(tmp_path, monkeypatch):
    """A new client without buildx comes first on PATH and is not chosen."""
    fake = tmp_path / "docker"
    fake.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Docker version 28.2.2, build 1\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_client() != fake


def test_the_python_image_is_what_its_name_says(engine, python_image):
    """It runs Python 3.11 with a test runner, as root or as nobody, without a network."""
    code = "import sys, ssl, sqlite3, unittest; print(*sys.version_info[:2])"
    for user in ("root", "nobody"):
        command = ["docker", "run", "--rm", "--network", "none", "-u", user, python_image]
        done = subprocess.run([*command, "python", "-c", code], capture_output=True, check=True)
        assert done.stdout.split() == [b"3", b"11"]


def test_an_image_that_is_there_costs_nothing(docker_host, python_image, cache):
    """The second run does no work."""
    said = []
    start = time.perf_counter()
    ensure_images(docker_host, [python_image], cache, said.append)
    assert not said
    assert time.perf_counter() - start < 1


def test_an_image_that_nobody_can_make_is_refused_by_name(docker_host, tmp_path):
    """The error says which image, and what to do."""
    with pytest.raises(SetUpError, match="docker pull no-such/image-of-anybody:1"):
        ensure_images(docker_host, ["no-such/image-of-anybody:1"], tmp_path, lambda _: None)
