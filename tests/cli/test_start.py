"""How the `slipway` command starts: it imports what the command that was given needs, no more."""

import subprocess
import sys

import click
import pytest

from service.cli import COMMANDS, main
from service.cli.runs import COLOURS
from workers.ledger.model.run import State

HEAVY = {"boto3", "celery", "docker", "flask", "github", "pydantic", "redis", "requests", "workers"}
LOADED = """
import sys
from service.cli import main
main(sys.argv[1:], standalone_mode=False)
print(*{name.partition(".")[0] for name in sys.modules})
"""


def _loaded(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_it_says_what_it_is_without_a_library(option: str):
    """Neither the version nor the list of commands imports what only some command needs."""
    assert not _loaded(option) & HEAVY


def test_a_command_of_the_api_needs_no_server():
    """Whoever only asks a Slipway imports nothing that runs one."""
    loaded = _loaded("runs", "--help")
    assert "requests" in loaded
    assert not loaded & {"boto3", "celery", "docker", "flask", "github", "redis", "workers"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_a_command_says_of_itself(name: str):
    """The sentence in the list is the first one of the command's own help."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert COMMANDS[name].says == (command.help or "").partition("\n\n")[0].replace("\n", " ")


def test_every_state_has_its_colour():
    """The states that `slipway runs --state` takes are the product's."""
    assert list(COLOURS) == [state.value for state in State]
