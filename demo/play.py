"""The demo from its first step to its last, and its clearing up, whatever happens."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import requests
from botocore.exceptions import BotoCoreError, ClientError

from demo import surroundings
from demo.example import BRANCH, Example
from demo.screen import Screen
from demo.story import DemoError, heard, tell
from demo.surroundings import Stopped
from demo.world import World, world
from local.process import SetUpError
from tests.stand_ins.github import StandInError

FAILURES = (
    DemoError,
    SetUpError,
    StandInError,
    OSError,
    requests.RequestException,
    BotoCoreError,
    ClientError,
)
FAILED = 1


Performance = Callable[[ExitStack, Path, Screen], World]
"""What is played: starts the parts on the stack, shows them at work, and gives them back."""


def one(path: Path) -> Performance:
    """A push of the files of `path`, from git to the alias."""
    example = Example(path)

    def perform(stack: ExitStack, folder: Path, screen: Screen) -> World:
        parts = world(stack, example, folder, screen)
        _push(parts, example, folder, screen)
        return parts

    return perform


def play(perform: Performance) -> int:
    """Run a demo and clear up; returns its exit code."""
    stack = ExitStack()
    try:
        code = _play(perform, stack)
    finally:
        surroundings.listen_no_more()
        stack.close()
    return code


def _play(perform: Performance, stack: ExitStack) -> int:
    screen, folder, served = Screen(), None, False
    try:
        folder = stack.enter_context(surroundings.folder())
        with screen:
            began = time.monotonic()
            screen.say("Set-up", "bold")
            parts = perform(stack, folder, screen)
            screen.say(f"Done in {time.monotonic() - began:.1f} s.", "bold green")
        served = screen.live
        if served:
            _serve(parts)
    except Stopped as order:
        print("\nstopping …", flush=True)
        return 0 if served else 128 + int(order.args[0])
    except FAILURES as error:
        print(f"\nThe demo failed: {error}", flush=True)
        if folder:
            surroundings.keep(folder)
            print(f"\nAll logs: {folder}", flush=True)
        return FAILED
    return 0


def _push(parts: World, example: Example, folder: Path, screen: Screen) -> None:
    with screen.step(f"git push to {BRANCH}") as row:
        url = parts.github.repository(example.repository).clone_url
        commit = example.push(folder / "checkout", url)
        run = heard(parts, example, commit)
        row.detail = f"{commit[:7]} to {url}"
    screen.say()
    tell(parts, example, screen, run)


def _serve(parts: World) -> None:
    """Keep everything running until somebody stops it.

    Raises:
        DemoError: one of the processes ended by itself.
    """
    print("\nIt keeps serving; Ctrl-C ends it and clears up.", flush=True)
    while not (dead := parts.dead()):
        time.sleep(1)
    raise DemoError(f"{dead.log.stem} ended ({dead.exit_code}):\n{dead.tail()}")
