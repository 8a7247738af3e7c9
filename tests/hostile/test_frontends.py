"""A build without a network has no frontend fetched for it either: that is an image like others."""

from pathlib import Path
from typing import Any

import pytest

from tests.docker.conftest import Quiet
from workers.docker import images
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.ledger.model.errors import RunError, UserError

pytestmark = pytest.mark.docker
FRONTEND = "docker/dockerfile:1.7-slipway-has-none"
LINES = [f"# syntax={FRONTEND}", f"#syntax = docker.io/{FRONTEND}", f"# a\n\n  # syntax={FRONTEND}"]


class Attempt:
    """Builds a Dockerfile within bounds, and keeps what the engine said."""

    def __init__(self, engine: Engine, context: Path, image: str, labels: dict[str, str]) -> None:
        self.engine, self.context, self.image, self.labels = engine, context, image, labels
        self.said: list[str] = []

    def build(self, line: str, network: str, *patterns: str, after: str = "", **args: str) -> str:
        """The image, unless it is refused."""
        (self.context / "Dockerfile").write_text(f"{line}\nFROM {self.image}\nRUN true\n{after}\n")
        given: Any = {"args": args, "labels": self.labels, "timeout": 120}
        bounds = Bounds(network, "tests", patterns)
        given |= {"bounds": bounds, "say": self.said.append, "watch": Quiet()}
        return images.build(self.engine, self.context, "Dockerfile", **given)

    @property
    def asked(self) -> bool:
        """Whether the engine went for the frontend."""
        return any(FRONTEND in text for text in self.said if "is not fetched" not in text)


@pytest.fixture
def attempt(
    real_engine: Engine, context: Path, python_image: str, labels: dict[str, str]
) -> Attempt:
    """A new one."""
    return Attempt(real_engine, context, python_image, labels)


@pytest.mark.parametrize("line", LINES[:2])
def test_the_engine_goes_for_a_frontend(attempt: Attempt, line: str):
    """Where builds have a network."""
    with pytest.raises(RunError):
        attempt.build(line, "host")
    assert attempt.asked


@pytest.mark.parametrize("line", LINES)
def test_no_frontend_is_fetched_for_a_build_without_a_network(attempt: Attempt, line: str):
    """The engine's own parser reads the file; the log says so."""
    assert attempt.build(line, "none")
    assert not attempt.asked
    assert "is not fetched, for builds have no network" in attempt.said[0]


def test_a_frontend_by_argument_is_one_too(attempt: Attempt):
    """BuildKit takes it from a build argument as well."""
    with pytest.raises(RunError):
        attempt.build("# nothing", "host", BUILDKIT_SYNTAX=FRONTEND)
    assert attempt.asked
    attempt.said.clear()
    assert attempt.build("# nothing", "none", BUILDKIT_SYNTAX=FRONTEND)
    assert not attempt.asked


def test_a_frontend_that_the_operator_names_may_be_fetched(attempt: Attempt):
    """`[builds] images` covers it, as it covers any image."""
    with pytest.raises(RunError):
        attempt.build(LINES[0], "none", "docker/dockerfile:*")
    assert attempt.asked


def test_the_rest_of_the_file_stays_as_it_is(attempt: Attempt):
    """Its lines keep their numbers, its ignore file counts, and text is no directive."""
    ignore = attempt.context / "Dockerfile.dockerignore"
    ignore.write_text("left-out\n")
    for name in ("left-out", "taken"):
        (attempt.context / name).write_text(name)
    text = f"# syntax={FRONTEND}"
    (attempt.context / "expected").write_text(text)
    after = "\n".join(
        [
            "COPY . /all/",
            "RUN ! test -e /all/left-out && test -e /all/taken",
            "RUN printf '%s' \\",
            text,
            f"'{text}' >/text",
            'RUN test "$(cat /text)" = "$(cat /all/expected)"',
        ]
    )
    assert attempt.build(text, "none", after=after)
    with pytest.raises(UserError, match="line 4"):
        attempt.build(text, "none", after="NOTHING")
