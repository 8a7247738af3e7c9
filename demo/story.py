"""One push, followed from git to the alias, and what AWS and GitHub say at its end."""

import time
from datetime import datetime
from typing import Any

from demo.example import BRANCH, Example
from demo.screen import SIGNS, Row, Screen
from demo.world import World

ENVIRONMENT = "sandbox"
ENDED = {"succeeded", "failed", "cancelled", "superseded"}
TICK = 0.1
HEARD_SECONDS = 30
RUN_SECONDS = 900
TOLD_SECONDS = 30
LOG_LINES = 20


class DemoError(Exception):
    """The demo did not reach its end; the text says why, and what to do."""


def tell(world: World, example: Example, screen: Screen, run: dict[str, Any]) -> None:
    """Show a run's stages until it has ended and GitHub knows.

    Raises:
        DemoError: it did not succeed.
    """
    screen.say(f"{example.repository} {run['commit'][:7]} → {run['environment']}", "bold")
    rows = {stage["name"]: screen.add(stage["name"]) for stage in run["stages"]}
    deadline = time.monotonic() + RUN_SECONDS
    while run["state"] not in ENDED:
        check(world, run, deadline, "did not end")
        _show(run, rows, screen)
        time.sleep(TICK)
        run = world.slipway.run(run["id"])
    _show(run, rows, screen)
    deadline = time.monotonic() + TOLD_SECONDS
    while not _told(world, example, run):
        check(world, run, deadline, "was not reported to GitHub")
        time.sleep(TICK)
    _close(world, example, screen, run)


def heard(world: World, example: Example, commit: str) -> dict[str, Any]:
    """The run that a push has begun.

    Raises:
        DemoError: there is none; the text has the answer to the delivery.
    """
    deadline = time.monotonic() + HEARD_SECONDS
    while not (runs := world.slipway.runs(commit=commit)):
        if time.monotonic() > deadline:
            sent = [one for one in world.github.deliveries if one.event == "push"]
            answer = f"{sent[-1].status_code} {sent[-1].response_body}" if sent else "never sent"
            tail = world.slipway.processes["web"].tail()
            raise DemoError(
                f"{example.repository} was pushed and no run began. The delivery: {answer}\n{tail}"
            )
        time.sleep(TICK)
    return runs[0]


def check(world: World, run: dict[str, Any], deadline: float, what: str) -> None:
    """See that all processes live and that there is still time.

    Raises:
        DemoError: with the last words of whoever is to blame.
    """
    dead = world.dead()
    if dead:
        raise DemoError(f"{dead.log.stem} ended ({dead.exit_code}):\n{dead.tail()}")
    if time.monotonic() > deadline:
        tail = world.slipway.processes["worker"].tail()
        raise DemoError(f"run {run['id']} {what} in time. The worker's last words:\n{tail}")


def _show(run: dict[str, Any], rows: dict[str, Row], screen: Screen) -> None:
    for stage in run["stages"]:
        row = rows[stage["name"]]
        detail = stage["error"] or stage["summary"] or ""
        screen.change(row, stage["state"], detail, seconds(stage))


def seconds(stage: dict[str, Any]) -> float | None:
    """How long a stage took, once it has ended."""
    times = stage["started_at"], stage["finished_at"]
    if not all(times):
        return None
    start, end = (datetime.fromisoformat(moment) for moment in times)
    return (end - start).total_seconds()


def _told(world: World, example: Example, run: dict[str, Any]) -> bool:
    latest = world.github.latest(example.repository, run["commit"]).values()
    return bool(latest) and all(status.state != "pending" for status in latest)


def _close(world: World, example: Example, screen: Screen, run: dict[str, Any]) -> None:
    screen.say()
    screen.say("GitHub reports", "bold")
    for context, status in world.github.latest(example.repository, run["commit"]).items():
        sign, style = SIGNS["succeeded" if status.state == "success" else "failed"]
        screen.say(f"  {sign} {context}: {status.state} - {status.description}", style)
    if run["state"] != "succeeded":
        raise DemoError(why(world, run))
    screen.say("AWS reports", "bold")
    for name in example.functions:
        screen.say(f"  {_alias(world, name, run)}")
    screen.say("Slipway", "bold")
    screen.say(f"  run    {run['url']}")
    screen.say(f"  token  {world.token}   (to sign in with, and for the API)")


def _alias(world: World, function: str, run: dict[str, Any]) -> str:
    alias = world.aws.alias(function, ENVIRONMENT)
    if alias is None:
        raise DemoError(f"AWS has no alias {ENVIRONMENT} of {function}")
    number = alias["FunctionVersion"]
    version = next(v for v in world.aws.versions(function) if v["Version"] == number)
    if version["Description"] != run["commit"]:
        raise DemoError(f"{function}:{ENVIRONMENT} bears {version['Description']}")
    code = version["CodeSha256"]
    return f"{function}:{ENVIRONMENT} → version {number}, commit {run['commit']}, sha256 {code}"


def why(world: World, run: dict[str, Any]) -> str:
    """Why a run did not succeed, and what to do."""
    lines = "\n".join(world.slipway.log(run["id"]).splitlines()[-LOG_LINES:])
    words = [f"The run {run['state']}: {run['error']}", "Its log ends with:", lines]
    if any(stage["state"] == "failed" and stage["name"] == "test" for stage in run["stages"]):
        words.append(f"Mend what was pushed to {BRANCH} and run the demo again.")
    else:
        words += ["The worker's last words:", world.slipway.processes["worker"].tail()]
    return "\n".join(words)
