"""The Dockerfile builds on a Debian base, and its image serves without being root."""

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from local.packages import can_install, install, locked, run
from local.ports import free_port
from local.process import answers
from tests.demo.conftest import ROOT
from tests.e2e.conftest import OPERATOR

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.docker,
    pytest.mark.soak,
    pytest.mark.timeout(900),
]
SUITE = "bookworm"
BASE = f"slipway-test-debian:{SUITE}"
IMAGE = "slipway-test-image"
WANTED = "python3,python3-venv,ca-certificates"
# Where pip of this machine gets packages from; folders of this machine mean nothing in a build.
INDEXES = ("index-url", "extra-index-url", "trusted-host", "proxy")


@pytest.fixture(scope="module")
def client(docker_host: str) -> Iterator[docker.DockerClient]:
    """The engine."""
    with closing(docker.DockerClient(docker_host, timeout=300)) as client:
        yield client


@pytest.fixture(scope="module")
def base(client, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Debian with Python 3.11, pip and apt, made once for each engine."""
    if not can_install():
        pytest.skip("making a Debian base takes root on Debian")
    with locked(cache / "images.lock"):
        try:
            client.images.get(BASE)
        except ImageNotFound:
            archive = tmp_path_factory.mktemp("base") / "base.tar"
            _make_base(archive)
            client.api.import_image_from_file(str(archive), *BASE.split(":"))
    return BASE


def _make_base(archive: Path) -> None:
    install(["mmdebstrap"], [], print)
    form = ["--format", "deb $(SITE) $(RELEASE) $(COMPONENT)"]
    known = run(["apt-get", "indextargets", *form, "Created-By: Packages", "Origin: Debian"]).stdout
    sources = archive.with_name("sources.list")
    sources.write_text("".join(f"{line}\n" for line in sorted(set(known.splitlines()))))
    link = '--customize-hook=ln -s python3 "$1/usr/bin/python"'
    run(["mmdebstrap", "--variant=apt", f"--include={WANTED}", link, SUITE, archive, sources])


@pytest.fixture(scope="module")
def image(engine, base: str, client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image of this work tree."""
    folder = tmp_path_factory.mktemp("secrets")
    secrets = [f"--secret=id={secret.name},src={secret}" for secret in _secrets(folder)]
    chosen = ["--network=host", f"--build-arg=BASE={base}", f"--tag={IMAGE}", *secrets]
    done = subprocess.run(
        [engine.client, "build", *chosen, str(ROOT)],
        env={**os.environ, **engine.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    yield IMAGE
    client.images.remove(IMAGE, force=True)


def _secrets(folder: Path) -> Iterator[Path]:
    """This machine's pip settings and certificates, as the Dockerfile takes them."""
    listed = run([sys.executable, "-m", "pip", "config", "list"]).stdout.splitlines()
    found = {}
    for line in listed:
        key, _, value = line.partition("=")
        found[key.rpartition(".")[2]] = str(ast.literal_eval(value))
    lines = ["[global]"]
    for name in INDEXES:
        words = [word for word in found.get(name, "").split() if not word.startswith("file:")]
        lines += [f"{name} = {' '.join(words)}"] if words else []
    if found.get("cert"):
        shutil.copy(found["cert"], folder / "ca.crt")
        yield folder / "ca.crt"
        lines.append("cert = /run/secrets/ca.crt")
    (folder / "pip.conf").write_text("\n".join(lines) + "\n")
    yield folder / "pip.conf"


def _said(client: docker.DockerClient, image: str, *command: str) -> str:
    output = client.containers.run(image, list(command), remove=True, network_mode="none")
    return str(output.decode())


def test_the_image_has_what_a_worker_needs(client, image: str):
    """It runs as somebody other than root, with git, a Docker client and the slipway command."""
    assert _said(client, image, "id", "-u").strip() not in {"", "0"}
    assert _said(client, image, "git", "--version").startswith("git version")
    assert _said(client, image, "docker", "--version").startswith("Docker version")
    assert _said(client, image, "slipway", "--version").startswith("slipway")


def test_no_setting_of_this_network_stays_in_the_image(client, image: str):
    """Neither pip's settings nor certificates of the build are in a layer or in the history."""
    found = _said(client, image, "sh", "-c", "cat /etc/pip.conf /run/secrets/* 2>/dev/null; true")
    assert found == ""
    history = json.dumps(client.images.get(image).history())
    assert "index-url" not in history


def test_the_image_serves(client, image: str, redis_server, tmp_path: Path):
    """Its default command is the web process, which answers on PORT."""
    (tmp_path / "server.toml").write_text(OPERATOR)
    tmp_path.chmod(0o755)
    port = free_port()
    container = client.containers.run(
        image,
        detach=True,
        network_mode="host",
        environment={
            "GITHUB_WEBHOOK_SECRET": "a secret of github",
            "PORT": str(port),
            "REDIS_URL": redis_server.url,
            "SLIPWAY_CONFIG": "/server.toml",
        },
        volumes={str(tmp_path / "server.toml"): {"bind": "/server.toml", "mode": "ro"}},
    )
    try:
        deadline = time.monotonic() + 60
        while not answers(f"http://127.0.0.1:{port}/readyz"):
            container.reload()
            assert container.status != "exited", container.logs().decode()
            assert time.monotonic() < deadline, container.logs().decode()
            time.sleep(0.1)
        assert answers(f"http://127.0.0.1:{port}/healthz")
    finally:
        container.remove(force=True)
