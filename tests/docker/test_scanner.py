"""Tests of the scanner's container: what it is given, and what nobody gets to see."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException

from tests.docker.conftest import LeaseLostError, Losing, Quiet
from tests.stand_ins.sonar import SonarQube, scanner_image
from tests.stand_ins.sonar.image import address
from tests.stand_ins.sonar.server import TOKEN
from workers.docker import litter, scanner
from workers.docker.checks import Limits
from workers.docker.engine import Engine
from workers.docker.registry import ensure
from workers.docker.scanner import SETTINGS, SOURCE, WORK, Scan, Tree
from workers.ledger.model.errors import OurError, PassingError

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def image(docker_host: str, python_image: str) -> Iterator[str]:
    """The stand-in for the scanner's image."""
    with scanner_image(docker_host) as name:
        yield name


@pytest.fixture
def sonar(docker_host: str) -> Iterator[SonarQube]:
    """A SonarQube that containers reach."""
    with SonarQube(address(docker_host)) as server:
        yield server


class Scanning:
    """Scans with defaults; `log` holds what was said."""

    def __init__(self, engine: Engine, tree: Tree, asked: Scan) -> None:
        self.engine, self.tree, self.asked = engine, tree, asked
        self.log = ""

    def run(self, watch=None, **changes: object):
        """Scan the tree."""
        asked = replace(self.asked, **changes)
        watch = watch or Quiet()
        return scanner.scan(self.engine, self.tree, asked, say=self._say, watch=watch)

    def containers(self) -> list[docker.models.containers.Container]:
        """This test's containers, running or not."""
        label = f"{litter.RUN}={self.asked.labels[litter.RUN]}"
        found = self.engine.client.containers
        return found.list(all=True, filters={"label": label}, ignore_removed=True)

    def _say(self, text: str) -> None:
        self.log += text + "\n"


@pytest.fixture
def scanning(
    real_engine: Engine, image: str, sonar: SonarQube, labels: dict[str, str], context: Path
) -> Scanning:
    """A scan of a folder with one file."""
    (context / "index.py").write_text("A = 1\n")
    told = {
        "project.settings": SETTINGS,
        "sonar.projectBaseDir": SOURCE,
        "sonar.working.directory": WORK,
        "sonar.scanner.metadataFilePath": f"{WORK}/report-task.txt",
        "sonar.host.url": sonar.url,
        "sonar.projectKey": "films",
    }
    asked = Scan(
        image=image,
        token=TOKEN,
        arguments=[f"-D{name}={value}" for name, value in told.items()],
        properties="sonar.sources=.\n",
        limits=Limits("256m", 1, 64, 60),
        labels=labels,
        spool=context.with_name("spool"),
        network="host",
    )
    tree = Tree(context, frozenset({"sonar-project.properties"}), {})
    return Scanning(real_engine, tree, asked)


def test_a_tree_is_handed_in(scanning: Scanning, sonar: SonarQube):
    """The scanner gets the files, says what it does, and leaves the task; the container goes."""
    outcome, found = scanning.run()
    assert outcome.exit_code == 0, scanning.log
    (analysis,) = sonar.analyses
    assert (found["ceTaskId"], analysis.files) == (analysis.task, {"index.py": "A = 1\n"})
    assert analysis.sent["user"] == 1000
    assert "EXECUTION SUCCESS" in scanning.log
    assert scanning.containers() == []
    assert not list(scanning.asked.spool.glob("*.tar"))


def test_only_files_go_in(scanning: Scanning, sonar: SonarQube):
    """Links stay out, whatever they lead to, as does the repository's file; others can be added."""
    folder = scanning.tree.folder
    (folder / "environ.py").symlink_to("/proc/self/environ")
    (folder / "etc").symlink_to("/etc")
    (folder / "same.py").symlink_to("index.py")
    (folder / "sonar-project.properties").write_text("sonar.host.url=http://evil.example\n")
    (folder / "lib").mkdir()
    (folder / "lib" / "sonar-project.properties").write_text("of a module\n")
    scanning.tree = replace(scanning.tree, more={"coverage/lcov.info": b"TN:\n"})
    outcome, _ = scanning.run(properties="sonar.javascript.lcov.reportPaths=coverage/lcov.info\n")
    assert outcome.exit_code == 0, scanning.log
    (analysis,) = sonar.analyses
    assert set(analysis.files) == {
        "index.py",
        "lib/sonar-project.properties",
        "coverage/lcov.info",
    }
    assert analysis.sent["reports"] == {"coverage/lcov.info": "TN:\n"}


def test_the_token_is_nowhere_to_be_seen(scanning: Scanning, sonar: SonarQube, docker_host: str):
    """No command line, no record of the container, no log, no image and no file holds it."""
    sonar.fail_next("server/version", status=None, delay=3)
    seen: list[str] = []
    watching = threading.Event()

    def spy() -> None:
        client = docker.DockerClient(docker_host)
        while not watching.is_set():
            for one in scanning.containers():
                try:
                    top = one.top()["Processes"] if one.status == "running" else []
                    changed = str(one.diff())
                    seen.extend([json.dumps(client.api.inspect_container(one.id)), changed])
                    seen.append(f"top {top}" if top else "")
                except DockerException:
                    continue
            time.sleep(0.1)

    thread = threading.Thread(target=spy)
    thread.start()
    try:
        outcome, found = scanning.run()
    finally:
        watching.set()
        thread.join()
    assert outcome.exit_code == 0, scanning.log
    everything = "\n".join(seen)
    assert "sonar-scanner" in everything, "nothing was seen"
    assert "top [[" in everything, "nothing was seen at work"
    assert sonar.asked("/api/ce/submit")[0].token == TOKEN
    history = str(scanning.engine.client.images.get(scanning.asked.image).history())
    for where in (everything, scanning.log, str(found), history, str(sonar.analyses)):
        assert TOKEN not in where


def test_time_is_limited(scanning: Scanning, sonar: SonarQube):
    """A scanner that hangs is stopped at its limit, and its container goes."""
    sonar.fail_next("server/version", status=None, delay=30)
    outcome, found = scanning.run(limits=Limits("256m", 1, 64, 3))
    assert (outcome.timed_out, found) == (True, {})
    assert scanning.containers() == []


def test_a_lost_lease_stops_it(scanning: Scanning, sonar: SonarQube):
    """When the worker may not go on, the container goes."""
    sonar.fail_next("server/version", status=None, delay=30)
    with pytest.raises(LeaseLostError):
        scanning.run(watch=Losing(2))
    assert scanning.containers() == []


def test_a_refused_token_is_said(scanning: Scanning):
    """What the scanner says of it reaches the log, with its exit code."""
    outcome, found = scanning.run(token="squ-another-one")
    assert (outcome.exit_code, found) == (1, {})
    assert "HTTP 401" in scanning.log


def test_an_image_that_is_not_there_is_named(real_engine: Engine):
    """The operator hears which setting names an image that can't be had, or it is tried again."""
    with pytest.raises((OurError, PassingError), match=r"slipway-tests/nothing:1.*pulled"):
        ensure(
            real_engine,
            "localhost:9/slipway-tests/nothing:1",
            "SLIPWAY_SONAR_IMAGE",
            say=lambda _: None,
            watch=Quiet(),
        )


def test_an_image_that_is_there_is_not_pulled(real_engine: Engine, image: str):
    """Nothing is said, and no registry is asked."""
    said: list[str] = []
    ensure(real_engine, image, "SLIPWAY_SONAR_IMAGE", say=said.append, watch=Quiet())
    assert said == []
