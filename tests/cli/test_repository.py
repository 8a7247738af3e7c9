"""`slipway check` and `slipway hook install`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.stand_ins.github import TOKEN, GitHub

NAME = "watchlist/movies"
GOOD = """
[test.checks]
lint = "flake8"
unit = "pytest"

[functions.MoviesLoader]
runtime = "python3.13"
handler = "index.handler"
"""
ENVIRONMENT = {
    "SLIPWAY_CONFIG": "server.toml",
    "SLIPWAY_PUBLIC_URL": "https://slipway.example/",
    "GITHUB_WEBHOOK_SECRET": "the-newer-one,the-older-one",
    "GITHUB_TOKEN": TOKEN,
}


def test_a_good_file_is_fine(
    slipway: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """slipway.toml of this folder is read; the answer counts what is in it."""
    (tmp_path / "slipway.toml").write_text(GOOD)
    (tmp_path / "requirements.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    result = slipway("check")
    assert (result.exit_code, result.output) == (
        0,
        "slipway.toml is fine: 2 checks, 1 function\n",
    )


def test_each_problem_has_its_line(slipway: Command, tmp_path: Path) -> None:
    """All problems are told at once, as editors read them."""
    file = tmp_path / "other.toml"
    file.write_text(GOOD + "colour = 1\n[site]\nbucket = 3\n")
    result = slipway("check", str(file))
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{file}:") for line in lines)
    assert lines[0].startswith(f"{file}:9: ")


@pytest.mark.parametrize(
    ("runtime", "said"),
    [
        ("python311", "called 'python311'; did you mean 'python3.11'?"),
        ("nodejs20", "called 'nodejs20'; did you mean 'nodejs20.x'?"),
        ("python3.99", "called 'python3.99'; did you mean 'python3.9'?"),
        ("python3.11", "no preset does for MoviesLoader (python3.11)"),
    ],
)
def test_what_a_build_would_say_is_a_warning(
    slipway: Command, tmp_path: Path, runtime: str, said: str
) -> None:
    """Files and names of runtimes are looked at; with --strict a warning fails (D16)."""
    (tmp_path / "slipway.toml").write_text(GOOD.replace("python3.13", runtime))
    mild = slipway("check", str(tmp_path / "slipway.toml"))
    assert mild.exit_code == 0
    assert f"{tmp_path}/slipway.toml: warning: " in mild.stderr
    assert said in mild.stderr
    assert mild.stdout == f"{tmp_path}/slipway.toml is fine: 2 checks, 1 function\n"
    assert slipway("check", "--strict", str(tmp_path / "slipway.toml")).exit_code == 1


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_a_file_that_cannot_be_read_is_a_problem(
    slipway: Command, tmp_path: Path, name: str
) -> None:
    """No traceback, but why."""
    result = slipway("check", str(tmp_path / name))
    assert result.exit_code == 1
    assert "can't be read" in result.output


def test_a_webhook_is_installed(slipway: Command, tmp_path: Path) -> None:
    """GitHub has it with the public URL and the first secret, once."""
    with GitHub(tmp_path / "hub") as hub:
        hub.create_repository(NAME)
        environment = ENVIRONMENT | {"GITHUB_API_URL": hub.api_url}
        first = slipway("hook", "install", NAME, **environment)
        again = slipway("hook", "install", NAME, **environment)
        (hook,) = hub.hooks_of(NAME)
    assert first.output == (
        f"{NAME}: webhook created, to https://slipway.example/webhooks/github\n"
    )
    assert "there already" in again.output
    assert (hook.url, hook.secret) == ("https://slipway.example/webhooks/github", "the-newer-one")


@pytest.mark.parametrize(
    "public", [None, "http://localhost:8000", "http://0.0.0.0:1", "http://[::1]"]
)
def test_a_url_that_github_cannot_reach_is_refused(slipway: Command, public: str | None) -> None:
    """The default public URL is this machine's own: the message names the variable."""
    environment = ENVIRONMENT | {"SLIPWAY_PUBLIC_URL": public or ""}
    result = slipway("hook", "install", NAME, **environment)
    assert result.exit_code == 1
    assert "set SLIPWAY_PUBLIC_URL" in result.output


def test_a_local_github_may_reach_a_local_slipway(slipway: Command, tmp_path: Path) -> None:
    """Stand-ins on this machine need no public address."""
    with GitHub(tmp_path / "hub") as hub:
        hub.create_repository(NAME)
        environment = ENVIRONMENT | {"GITHUB_API_URL": hub.api_url, "SLIPWAY_PUBLIC_URL": ""}
        assert slipway("hook", "install", NAME, **environment).exit_code == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN"),
        ({"GITHUB_WEBHOOK_SECRET": ""}, "GITHUB_WEBHOOK_SECRET"),
        ({"GITHUB_API_URL": "http://127.0.0.1:9"}, "out of reach"),
        (
            {"GITHUB_TOKEN": "", "GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY_FILE": "/nowhere"},
            "GITHUB_APP_PRIVATE_KEY_FILE: can't be read",
        ),
    ],
)
def test_what_is_missing_is_named(slipway: Command, changes: dict[str, str], said: str) -> None:
    """Every expected fault ends with a sentence and 1, and tells no secret."""
    result = slipway("hook", "install", NAME, **ENVIRONMENT | changes)
    assert result.exit_code == 1
    assert said in result.output
    assert TOKEN not in result.output
    assert "the-newer-one" not in result.output
