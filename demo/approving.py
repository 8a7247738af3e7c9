"""Production waits: the viewer says yes on a page or with Enter; where nobody looks, HTTP does."""

import select
import sys
import time
from typing import Any

import requests

from demo.screen import Screen
from demo.story import TICK, DemoError, check
from demo.world import World

SECONDS = 120
TIMEOUT = 30


def approve(parts: World, screen: Screen, runs: list[dict[str, Any]]) -> None:
    """Have runs approved that wait; returns once none of them waits any more.

    Raises:
        DemoError: somebody rejected one, or an approval was refused.
    """
    screen.say()
    screen.say("Production waits for approval: published, verified, and nobody has noticed", "bold")
    for run in runs:
        versions = ", ".join(f"{r['function']} {r['version']}" for r in run["releases"])
        screen.say(f"  {run['repository']}: {versions or 'the site'}")
    if screen.live and sys.stdin.isatty():
        _ask(parts, screen, runs)
    else:
        screen.say("  approved over HTTP: POST /api/v1/runs/<id>/approve with commit and hash")
    for run in _waiting(parts, runs):
        _say_yes(parts, run)
    _gone_on(parts, runs)
    screen.say()


def _ask(parts: World, screen: Screen, runs: list[dict[str, Any]]) -> None:
    """Give the viewer a while to say yes, on the pages or with Enter."""
    screen.say("  Approve them on their pages:")
    for run in runs:
        screen.say(f"    {run['url']}")
    screen.say(f"  with the token {parts.token} to sign in, or press Enter to approve all here.")
    row = screen.begin("your approval")
    until = time.monotonic() + SECONDS
    while (left := until - time.monotonic()) > 0 and (waiting := _waiting(parts, runs)):
        screen.change(row, "running", f"{len(waiting)} wait; all approved in {left:.0f} s")
        if select.select([sys.stdin], [], [], 3 * TICK)[0]:
            # Also an end of input is somebody's word to go on.
            sys.stdin.readline()
            break
    screen.end(row, "given" if not _waiting(parts, runs) else "the rest over HTTP")


def _waiting(parts: World, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [parts.slipway.run(run["id"]) for run in runs]
    for run in found:
        if run["state"] in {"cancelled", "superseded", "failed"}:
            raise DemoError(f"{run['repository']} {run['state']}: {run['error']}")
    return [run for run in found if run["state"] == "waiting"]


def _say_yes(parts: World, run: dict[str, Any]) -> None:
    answer = requests.post(
        f"{parts.slipway.url}/api/v1/runs/{run['id']}/approve",
        json={"commit": run["commit"], "sha256": run["approval"]["sha256"], "note": "demo"},
        headers={"Authorization": f"Bearer {parts.token}"},
        timeout=TIMEOUT,
    )
    # 409: somebody was quicker, on the page.
    if answer.status_code not in {requests.codes.accepted, requests.codes.conflict}:
        raise DemoError(f"{run['repository']} was not approved: {answer.text}")


def _gone_on(parts: World, runs: list[dict[str, Any]]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while waiting := _waiting(parts, runs):
        check(parts, waiting[0], deadline, "was approved and did not go on")
        time.sleep(TICK)
