"""Tests of building images with a real BuildKit."""

import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.docker.conftest import LeaseLostError, Losing, Quiet
from workers.docker import images, litter
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.ledger.model.errors import PassingError, UserError

pytestmark = pytest.mark.docker


class Building:
    """Builds with defaults; `log` holds what was said."""

    def __init__(self, engine: Engine, context: Path, base: str, labels: dict[str, str]) -> None:
        self.engine, self.context, self.base, self.labels = engine, context, base, labels
        self.log = ""

    def build(self, *lines: str, args: Mapping[str, str] | None = None, **options: Any) -> str:
        """Build a Dockerfile of these lines on the base image."""
        text = "\n".join((*lines, "")).replace("BASE", self.base)
        (self.context / "Dockerfile").write_text(text)
        settings = {"timeout": 120, "watch": Quiet(), "labels": self.labels}
        return images.build(
            self.engine,
            self.context,
            "Dockerfile",
            args=args or {},
            say=self._say,
            **{"bounds": Bounds("none", "tests")} | settings | options,
        )

    def _say(self, text: str) -> None:
        self.log += text + "\n"


@pytest.fixture
def building(
    real_engine: Engine, python_image: str, context: Path, labels: dict[str, str]
) -> Building:
    """Builds on the Python image in this test's context."""
    return Building(real_engine, context, python_image, labels)


def test_a_build_gives_an_image(building: Building):
    """The image has the files, the labels and the build arguments; progress is told."""
    building.context.joinpath("app.py").write_text("print(1)")
    image = building.build(
        "FROM BASE",
        "ARG COLOUR",
        "COPY app.py /app/",
        'RUN echo "$COLOUR" > /app/colour',
        "LABEL a=b",
        args={"COLOUR": "blue -x $(id)"},
    )
    found = building.engine.client.images.get(image)
    assert found.id == image
    assert building.labels.items() | {("a", "b")} <= found.labels.items()
    assert "COPY app.py /app/" in building.log


def test_the_cache_outlives_the_image(building: Building):
    """After its image was removed, a build is still cached, also for the next run's labels."""
    lines = ("FROM BASE", f"RUN echo {time.time()} > /stamp")
    first = building.build(*lines)
    images.remove(building.engine, first)
    images.remove(building.engine, first)
    mine = f"{litter.RUN}={building.labels[litter.RUN]}"
    assert not building.engine.client.images.list(filters={"label": mine})
    building.log = ""
    building.build(*lines, labels=building.labels | {"other": "run"})
    assert "CACHED" in building.log


def test_a_failing_step_is_the_users(building: Building):
    """The error holds the step, its output and its exit code."""
    with pytest.raises(UserError) as caught:
        building.build("FROM BASE", "RUN echo before; echo 'the reason' is $((6*7)) >&2; exit 42")
    text = str(caught.value)
    assert text.startswith("the image build of Dockerfile failed (exit code 1)")
    assert "the reason is 42" in text
    assert "exit code: 42" in text
    assert "load build definition" not in text


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("FORM x",), "FORM"),
        (("FROM BASE", "COPY nothing /"), "nothing"),
        (("",), "Dockerfile"),
        (("FROM BASE", "RUN echo dial tcp 1.2.3.4: i/o timeout; exit 1"), "dial tcp"),
    ],
)
def test_a_wrong_dockerfile_is_the_users(building: Building, lines: tuple, said: str):
    """What BuildKit says of a Dockerfile is passed on as the user's fault."""
    with pytest.raises(UserError, match=said) as caught:
        building.build(*lines)
    # The reason comes at once: a commit status shows no more than a line of it.
    assert "[internal]" not in str(caught.value).splitlines()[1]
    assert not re.search(r"^#\d+ ", str(caught.value), re.MULTILINE)


def test_a_registry_out_of_reach_is_tried_again(building: Building):
    """A base image that can't be fetched because nobody answers is a passing fault."""
    with pytest.raises(PassingError, match="registry was out of reach"):
        building.build("FROM 127.0.0.1:1/nothing:1", bounds=Bounds("host", "tests"))


def test_a_slow_build_ends(building: Building):
    """A build over its time is ended, on the engine too, and the text names file and limit."""
    mark = f"3{os.getpid()}"
    start = time.monotonic()
    with pytest.raises(UserError, match="image build of Dockerfile timed out after 3 s"):
        building.build("FROM BASE", f"RUN sleep {mark}", timeout=3)
    assert time.monotonic() - start < 10
    assert gone(mark)


def test_a_lost_lease_ends_the_build(building: Building):
    """When the worker must stop, the build is ended on the engine too."""
    mark = f"4{os.getpid()}"
    with pytest.raises(LeaseLostError):
        building.build("FROM BASE", f"RUN sleep {mark}", watch=Losing(2))
    assert "RUN sleep" in building.log
    assert gone(mark)


def gone(mark: str) -> bool:
    """Whether no process sleeps for that long any more; builds share this machine's processes."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        found = subprocess.run(["pgrep", "-fx", f"sleep {mark}"], check=False, capture_output=True)
        if found.returncode:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(
    "line",
    [
        "# syntax=evil.example/frontend:1",
        "#SYNTAX = docker/dockerfile.evil",
        "// syntax=evil/x",
        "#!/usr/bin/env x\n# syntax=evil/x",
        "# escape=`\n# syntax=docker.io/docker/dockerfile-evil",
        "\ufeff# syntax=evil/x",
        '{"syntax": "evil/x"}',
        "# syntax=docker/dockerfile@sha256:abc/evil",
    ],
)
def test_foreign_frontends_are_refused(building: Building, line: str):
    """A Dockerfile that wants another parser than Docker's own is refused before it is built."""
    with pytest.raises(UserError, match="frontend"):
        building.build(line, "FROM BASE")
    assert building.log == ""


def test_a_frontend_by_argument_is_refused(building: Building):
    """The build argument that names a frontend is held to the same rule."""
    with pytest.raises(UserError, match="frontend 'evil/x'"):
        building.build("FROM BASE", args={"BUILDKIT_SYNTAX": "evil/x"})


@pytest.mark.parametrize("name", ["docker/dockerfile:1", "docker.io/docker/dockerfile:1.7-labs"])
def test_the_official_frontend_is_let_through(building: Building, name: str):
    """Docker's own frontend reaches BuildKit, which may or may not be able to fetch it."""
    try:
        building.build(f"# syntax={name}", "FROM BASE", timeout=60)
    except (PassingError, UserError) as error:
        assert "only docker/dockerfile is allowed" not in str(error)  # noqa: PT017 - either way
    assert building.log


def test_a_dockerfile_outside_the_context_is_refused(building: Building, tmp_path: Path):
    """A link to a Dockerfile elsewhere on the machine is not followed."""
    (tmp_path / "elsewhere").write_text("FROM scratch")
    (building.context / "D").symlink_to("../elsewhere")
    with pytest.raises(UserError, match="outside"):
        images.build(
            building.engine,
            building.context,
            "D",
            bounds=Bounds("none", "tests"),
            args={},
            labels={},
            timeout=10,
            say=print,
            watch=Quiet(),
        )


def test_an_engine_out_of_reach_is_tried_again(context: Path, quiet: Quiet):
    """No engine, no build: a passing fault."""
    (context / "Dockerfile").write_text("FROM scratch")
    engine = Engine({"DOCKER_HOST": "unix:///nowhere.sock", "PATH": os.environ["PATH"]})
    with pytest.raises(PassingError, match="not reachable"):
        images.build(
            engine,
            context,
            "Dockerfile",
            bounds=Bounds("none", "tests"),
            args={},
            labels={},
            timeout=10,
            say=print,
            watch=quiet,
        )
