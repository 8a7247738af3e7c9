"""`make`'s set-up: the right Python, the machine's own indexes, and no work the second time."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import set_up
from tests.demo.conftest import ROOT


def make(*arguments: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess:
    """Run make."""
    command = ["make", "--no-print-directory", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout, without .venv, whose path has a space."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", *(path.name for path in ROOT.glob("*.lock"))):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    return folder


def program(folder: Path, name: str, text: str) -> None:
    """Put a program into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_help_is_what_make_says_by_itself():
    """Every public target is listed with what it does."""
    said = make().stdout
    for target in ("demo", "test", "run", "lint", "format", "bench", "soak", "clean", "help"):
        assert f"make {target} " in said
    assert said == make("help").stdout


def test_a_python_that_is_too_old_is_refused_by_its_version(checkout: Path, tmp_path: Path):
    """The message names what was found and what to install."""
    old = tmp_path / "old"
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        program(old, name, '[ "$1" = --version ] && echo Python 3.9.2; exit 1')
    done = make("demo", cwd=checkout, PATH=f"{old}{os.pathsep}{os.environ['PATH']}", PYTHON="")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer; here is Python 3.9.2" in done.stderr
    assert "apt-get install python3" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_finished_environment_is_left_alone(tmp_path: Path):
    """Newer files with the same contents cost no set-up; a changed lock does."""
    stamp, lock, python = tmp_path / "stamp", tmp_path / "lock", tmp_path / "bin" / "python"
    lock.write_text("one==1\n")
    made: list[str] = []

    def pretend() -> None:
        made.append(lock.read_text())
        python.parent.mkdir(exist_ok=True)
        python.touch()

    set_up.unless_done(stamp, [lock], pretend)
    lock.touch()
    set_up.unless_done(stamp, [lock], pretend)
    assert made == ["one==1\n"]
    assert stamp.stat().st_mtime >= lock.stat().st_mtime
    lock.write_text("one==2\n")
    set_up.unless_done(stamp, [lock], pretend)
    assert made == ["one==1\n", "one==2\n"]
    python.unlink()
    set_up.unless_done(stamp, [lock], pretend)
    assert len(made) == 3


def test_uv_asks_the_indexes_that_pip_is_told_to_use(tmp_path: Path, monkeypatch):
    """Index, certificate and folders of pip's configuration reach uv; the environment wins."""
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://packages.example.com/simple\ncert = /etc/ours.pem\n"
        "extra-index-url =\n  https://one.example.com\n  https://two.example.com\n"
        "[install]\nfind-links = /wheels /more\n"
    )
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_INDEX_URL", "https://nearer.example.com/simple")
    found = set_up.indexes()
    assert found["UV_DEFAULT_INDEX"] == "https://nearer.example.com/simple"
    assert found["SSL_CERT_FILE"] == "/etc/ours.pem"
    assert found["UV_INDEX"] == "https://one.example.com https://two.example.com"
    assert found["UV_FIND_LINKS"] == "/wheels,/more"


def test_the_lock_fits_the_oldest_python_and_names_no_index():
    """Each requirement is pinned with a hash; Debian 12's 3.11.2 needs async-timeout as well."""
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-bootstrap.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text, name
        entries = [line for line in text.splitlines() if line[:1].isalnum()]
        assert entries
        assert all("==" in line and line.endswith("\\") for line in entries), name
        if name != "requirements-bootstrap.lock":
            assert "async-timeout==" in text, f"{name} was not made with --universal"


RECORDS = (
    "redis/lock",
    "redis/appendonlydir/appendonly.aof.1.incr.aof",
    "logs/e244a965-a676-45fd-ba32-05c80d154cdf_1.part",
    "a team/redis/lock",
    "a team/redis/appendonly.aof",
    "other/logs/e244a965-a676-45fd-ba32-05c80d154cdf_1.part",
)
CACHES = (
    "demo/1-a/redis/appendonly.aof",
    "engine/data/x",
    "mirrors/1.git/HEAD",
    "workspaces/x",
    "set-up.lock",
    ".hidden",
)


def put(folder: Path, *names: str) -> None:
    """Write a file of each name, and the folders above it."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("kept as it is")


def files(folder: Path) -> set[str]:
    """The names of all files below a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in found}


def test_clean_leaves_the_record_of_make_run(checkout: Path):
    """Ledgers and spools stay and are named; following its advice removes them too."""
    put(checkout / ".slipway", *RECORDS, *CACHES)
    put(checkout, ".venv/bin/python", "scripts/__pycache__/a.pyc")
    done = make("clean", cwd=checkout)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(checkout / ".slipway") == set(RECORDS)
    assert not (checkout / ".venv").exists()
    assert not (checkout / "scripts" / "__pycache__").exists()
    advice = done.stdout[done.stdout.index("rm -rf") : done.stdout.index(")")]
    subprocess.run(advice, shell=True, cwd=checkout, check=True)
    assert files(checkout / ".slipway") == set()


def test_clean_leaves_nothing_where_there_is_no_record(checkout: Path):
    """Without a ledger, and with no spool left, all of .slipway goes without a word."""
    put(checkout / ".slipway", *CACHES)
    (checkout / ".slipway" / "logs").mkdir()
    done = make("clean", cwd=checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (checkout / ".slipway").exists()
