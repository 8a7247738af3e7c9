"""`slipway build`: what goes wrong before anything is built."""

from pathlib import Path

from tests.cli.conftest import Command

GOOD = '[functions.MoviesLoader]\nruntime = "python3.11"\nhandler = "index.handler"\n'
NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}


def test_a_missing_or_wrong_file_is_told(slipway: Command, tmp_path: Path) -> None:
    """What `slipway check` would say is said, and the exit code is 1."""
    missing = slipway("build", str(tmp_path))
    assert missing.exit_code == 1
    assert "slipway.toml" in missing.output
    (tmp_path / "slipway.toml").write_text("[build]\npth = 1\n")
    wrong = slipway("build", str(tmp_path))
    assert wrong.exit_code == 1
    assert "slipway.toml:2" in wrong.output


def test_an_unknown_function_is_told(slipway: Command, tmp_path: Path) -> None:
    """The functions that there are stand in the answer."""
    (tmp_path / "slipway.toml").write_text(GOOD)
    result = slipway("build", str(tmp_path), "--function", "MoviesLoda")
    assert result.exit_code == 1
    assert "no function MoviesLoda; it has: MoviesLoader" in result.output


def test_no_preset_and_no_engine_are_told(slipway: Command, tmp_path: Path) -> None:
    """Faults of the repository and of this machine are a sentence each."""
    (tmp_path / "slipway.toml").write_text(GOOD)
    result = slipway("build", str(tmp_path), **NOWHERE)
    assert result.exit_code == 1
    assert f"Dockerfile is not in {tmp_path}, and no preset does for MoviesLoader" in result.output
    (tmp_path / "requirements.txt").write_text("")
    result = slipway("build", str(tmp_path), **NOWHERE)
    assert result.exit_code == 1
    assert "Docker is not reachable at unix:///nowhere/docker.sock" in result.output


def test_generated_dockerfiles_are_shown(slipway: Command, tmp_path: Path) -> None:
    """`--show` prints what a preset would have built, each once, and asks no engine."""
    other = '[functions.Other]\nruntime = "python3.11"\ndockerfile = "own"\n'
    (tmp_path / "slipway.toml").write_text(f"{GOOD}{GOOD.replace('Loader', 'Saver')}{other}")
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / "own").write_text("FROM scratch\n")
    result = slipway("build", str(tmp_path), "--show", **NOWHERE)
    assert result.exit_code == 0
    assert result.output == (
        "# MoviesLoader, MoviesSaver\n"
        "# Slipway's preset for python3.11; a Dockerfile takes its place.\n"
        "FROM scratch\n"
        "COPY . /app/\n"
        "\n"
        "# Other\n"
        "# own of the repository\n"
        "\n"
    )
