"""Checks that would take a machine's disk, processes or memory, alone and fifty at once."""

import time
from pathlib import Path
from typing import Any

import pytest

from config import server
from config.server import builds
from config.server.allowances import allowed
from tests.docker.conftest import Quiet, labels, real_engine
from tests.e2e.conftest import town
from tests.e2e.town import pipeline
from workers.docker import images
from workers.docker.bounds import Bounds
from workers.docker.checks import Limits, Outcome, run_check
from workers.docker.engine import Engine
from workers.ledger.model.stages import STAGES

__all__ = ["labels", "real_engine", "town"]
pytestmark = pytest.mark.docker
MB = 1 << 20
OPERATOR = """
[environments.sandbox]
branch = "develop"
[[repositories]]
name = "town/*"
"""
FILL = "import time; f = open('{0}/filled', 'wb'); [f.write(bytes(1 << 20)) for _ in range({1})]"
HOLD = f"{FILL}; f.flush(); print('filled', flush=True); time.sleep(30)"


def filling(path: str, megabytes: int) -> str:
    """A command that writes so much and then goes on for half a minute."""
    return f'python -c "{HOLD.format(path, megabytes)}"'


@pytest.fixture
def image(real_engine: Engine, python_image: str, labels: dict[str, str], tmp_path: Path) -> str:
    """An image with a volume, which no limit of a container's own layer covers."""
    (tmp_path / "Dockerfile").write_text(f"FROM {python_image}\nVOLUME /data\n")
    return images.build(
        real_engine,
        tmp_path,
        "Dockerfile",
        bounds=Bounds("none", "tests"),
        args={},
        labels=labels,
        timeout=60,
        say=lambda _text: None,
        watch=Quiet(),
    )


@pytest.mark.parametrize("path", ["/tmp", "/data"])
def test_a_check_that_fills_the_disk_is_killed(
    real_engine: Engine, image: str, labels: dict[str, str], path: str
):
    """Where it may write that much it does, into its layer or a volume; else it is killed."""

    def run(command: str, disk: int) -> Outcome:
        limits = Limits("256m", 1, 64, 60, disk)
        given: Any = {"labels": labels, "limits": limits, "network": "none", "name": "unit"}
        given |= {"say": lambda _text: None, "watch": Quiet()}
        return run_check(real_engine, image, command, **given)

    free = run(f'python -c "{FILL.format(path, 60)}; f.close()"', 100 * MB)
    assert (free.exit_code, free.out_of_disk) == (0, False)
    began = time.monotonic()
    caught = run(filling(path, 60), 40 * MB)
    assert caught.out_of_disk
    assert caught.exit_code == 137
    assert not caught.timed_out
    assert time.monotonic() - began < 25, "it was to be found while it ran"


def test_the_operators_file_wins_over_the_variables():
    """Each key of `[builds] limits` that is there counts; the others are the variables'."""
    settings: Any = type("S", (), {"check_memory": "1g", "check_cpus": 1.5, "check_pids": 99})
    settings.check_disk, settings.check_seconds, settings.build_seconds = "1g", 60, 70
    before = allowed(settings, server.parse(OPERATOR).builds.limits)
    assert before == ("1g", 1.5, 99, 1 << 30, 60, 70)
    limits = 'limits = { memory = "4g", cpus = 2, pids = 1024, disk = "10g", timeout = "30m" }'
    after = allowed(settings, server.parse(f"{OPERATOR}\n[builds]\n{limits}\n").builds.limits)
    assert after == ("4g", 2, 1024, 10 << 30, 1800, 1800)
    some = allowed(settings, builds.Limits(pids=64))
    assert some == ("1g", 1.5, 64, 1 << 30, 60, 70)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ('memory = "lots"', "a size in quotes"),
        ('memory = "1k"', "at least"),
        ("cpus = 0", "greater than 0"),
        ("cpus = true", "a valid number"),
        ("pids = 1", "at least 16"),
        ("disk = 10", "expected a string"),
        ('timeout = "soon"', "a duration"),
        ('room = "1g"', "unknown key"),
    ],
)
def test_wrong_limits_are_refused_with_their_line(limits: str, why: str):
    """A limit that Docker would refuse at the first check is refused at start."""
    with pytest.raises(server.ConfigError, match=why) as refused:
        server.parse(f"{OPERATOR}\n[builds]\nlimits = {{ {limits} }}\n")
    assert "server.toml:" in str(refused.value)


@pytest.mark.e2e
def test_fifty_checks_do_not_start_fifty_containers(town):
    """They take turns: two at once where the operator says two, and all of them pass."""
    names = [f"c{number}" for number in range(12)]
    checks = "\n".join(f'{name} = "echo began; sleep 1"' for name in names)
    place = town.place("hostile-many-checks")

    def most(commit: str) -> int:
        seen = 0
        run = place.run(commit)["id"]
        while town.slipway.run(run)["state"] in ("queued", "running"):
            if town.slipway.run(run)["stages"][1]["state"] == "succeeded":
                break
            seen = max(seen, sum(c.status == "running" for c in town.containers(run)))
        return seen

    assert STAGES[1].name == "test"
    files = place.files(slipway__toml=pipeline(place.function, checks))
    assert most(place.push(files)) > 2, "the default lets more than two run at once"
    with town.changed("worker", SLIPWAY_CHECKS_AT_ONCE="2"):
        files["index.py"] = "x = 2\n"
        commit = place.push(files)
        assert 1 <= most(commit) <= 2
        ended = place.ended(commit)
    assert ended["state"] == "succeeded", place.story(commit)
    assert len(ended["checks"]) == len(names)
