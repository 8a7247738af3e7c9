"""The whole application, through three environments to an approved release, before one's eyes."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from demo import watchlist_ends
from demo.approving import approve
from demo.screen import Row, Screen
from demo.story import ENDED, RUN_SECONDS, TICK, TOLD_SECONDS, DemoError, check, seconds, why
from demo.watchlist_world import Whole, whole
from tests.stand_ins import watchlist
from tests.stand_ins.watchlist import BRANCHES, MEMBERS, Member

PRODUCTION = "production"
WORTH_SAYING = 0.05
"""Seconds below which a stage had nothing to do."""

Runs = dict[tuple[Member, str], dict[str, Any]]
HOW = {
    "sandbox": "four pushes to develop",
    "staging": "four pull requests from develop, merged into preprod",
    PRODUCTION: "four pull requests from preprod, merged into master",
}


def perform(stack: ExitStack, folder: Path, screen: Screen) -> Whole:
    """Set up, deploy everywhere, have it approved, show what is there then.

    Raises:
        DemoError: something did not go as it should.
    """
    parts = whole(stack, folder, screen)
    runs: Runs = {}
    for environment in BRANCHES:
        _deploy(parts, screen, environment, runs)
    production = [runs[member, PRODUCTION] for member in MEMBERS]
    approve(parts, screen, production)
    screen.say(f"{PRODUCTION}, approved", "bold")
    _follow(parts, screen, PRODUCTION, runs, {*ENDED})
    _settle(parts, runs)
    watchlist_ends.show(parts, screen, runs)
    return parts


def _deploy(parts: Whole, screen: Screen, environment: str, runs: Runs) -> None:
    """Bring all four to an environment, at once."""
    screen.say()
    screen.say(f"{environment}: {HOW[environment]}", "bold")
    for member in MEMBERS:
        if environment == "sandbox":
            commit = watchlist.push(parts.github, member)
        else:
            commit = watchlist.promote(parts.github, member, environment)
        runs[member, environment] = _heard(parts, member, commit, environment)
    _follow(parts, screen, environment, runs, {"waiting", *ENDED})


def _heard(parts: Whole, member: Member, commit: str, environment: str) -> dict[str, Any]:
    runs = parts.slipway.runs(commit=commit, environment=environment)
    if not runs:
        answers = [one for one in parts.github.deliveries if one.event == "push"]
        told = f"{answers[-1].status_code} {answers[-1].response_body}" if answers else "never sent"
        raise DemoError(f"{member.repository}: no run of {commit[:7]} began. The delivery: {told}")
    return runs[0]


def _follow(parts: Whole, screen: Screen, environment: str, runs: Runs, states: set[str]) -> None:
    """Show the four runs until each is in one of the states; all that ended must be well."""
    rows = {member: screen.add(member.name) for member in MEMBERS}
    deadline = time.monotonic() + RUN_SECONDS
    left = set(MEMBERS)
    while left:
        for member in MEMBERS:
            if member in left:
                run = parts.slipway.run(runs[member, environment]["id"])
                runs[member, environment] = run
                over = run["state"] in states
                _show(screen, rows[member], run, over=over)
                if over:
                    left.remove(member)
                else:
                    check(parts, run, deadline, "did not end")
        time.sleep(TICK)
    for member in MEMBERS:
        run = runs[member, environment]
        if run["state"] not in {"succeeded", "waiting"}:
            raise DemoError(f"{member.repository}: {why(parts, run)}")


def _show(screen: Screen, row: Row, run: dict[str, Any], *, over: bool) -> None:
    times = [
        f"{stage['name']} {took:.1f}"
        for stage in run["stages"]
        if (took := seconds(stage)) is not None
        and (took >= WORTH_SAYING or stage["name"] == "release")
    ]
    now = [stage["name"] for stage in run["stages"] if stage["state"] in {"running", "waiting"}]
    text = " · ".join([*times, *(f"{name} …" for name in now)])
    state = {"queued": "running", "cancelled": "failed", "superseded": "failed"}.get(run["state"])
    if run["error"] and over:
        text = f"{text}\n{run['error']}"
    screen.change(row, state or run["state"], text, _took(run) if over else None, done=over)


def _took(run: dict[str, Any]) -> float:
    """The seconds of all its stages, without those in which people were waited for."""
    stages = [stage for stage in run["stages"] if stage["name"] != "approve"]
    return sum(filter(None, map(seconds, stages)))


def _settle(parts: Whole, runs: Runs) -> None:
    """Wait until GitHub, Slack and the mail server have been told all of it."""
    deadline = time.monotonic() + TOLD_SECONDS
    expected = len(runs) * 2
    while not (
        watchlist_ends.all_told(parts, runs)
        and len(parts.slack.messages) >= expected
        and len(parts.mail.mails) >= len(MEMBERS)
    ):
        if time.monotonic() > deadline:
            raise DemoError(
                f"not everybody was told in time: {len(parts.slack.messages)} messages in Slack, "
                f"{len(parts.mail.mails)} emails"
            )
        time.sleep(TICK)
