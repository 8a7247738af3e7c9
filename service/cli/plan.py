"""`slipway plan`: what is live in an environment, what would be next, and what has drifted."""

import json
import sys
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import click

from config.units import duration
from service.cli.client import AwayError, Client
from service.cli.runs import one_line

PATIENCE_SECONDS = 60.0
AGAIN_SECONDS = 1.0


@click.command()
@click.argument("environment")
@click.option("--json", "as_json", is_flag=True, help="The API's answer, for scripts.")
@click.option("--exit-code", is_flag=True, help="End with 1 if something differs from the record.")
def plan(*, environment: str, as_json: bool, exit_code: bool) -> None:
    """Show what is live in ENVIRONMENT, and what a deploy of its branches would change.

    A worker looks at AWS and GitHub for it; nothing is changed.
    """
    found = _fresh(Client.from_environment(), environment)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for line in _lines(found):
            click.echo(line)
    drifted = any(one["differs"] for one in found["functions"])
    sys.exit(1 if exit_code and drifted else 0)


def _fresh(client: Client, environment: str) -> dict[str, Any]:
    """The environment after a look that began now; an older one, with its age, if none comes."""
    deadline = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            found = client.environment(environment, refresh=True)
        except AwayError:
            if monotonic() > deadline:
                raise
        else:
            if not found["refreshing"] or monotonic() > deadline:
                return found
        sleep(AGAIN_SECONDS)


def _lines(found: dict[str, Any]) -> list[str]:
    branches = ", ".join(map(one_line, found["branches"]))
    lines = [click.style(f"{found['name']}: {branches} \u2192 alias {found['alias']}", bold=True)]
    if found["refreshing"]:
        age = f"{duration(round(found['age_seconds']))} ago"
        lines.append(
            click.style(f"No worker has looked in time; this was seen {age}.", fg="yellow")
        )
    for one in found["functions"]:
        lines += _function(one)
    if not found["functions"]:
        lines.append("Nothing was released there yet.")
    storage = found["code_storage"]
    if storage:
        used, limit = storage["used"] / 1e9, storage["limit"] / 1e9
        text = f"code storage: {used:.2f} of {limit:.0f} GB, {storage['percent']} %"
        lines.append(click.style(text, fg="yellow") if storage["filling"] else text)
    return [*lines, *(click.style(line, fg="yellow") for line in _refusals(found))]


def _refusals(found: dict[str, Any]) -> Iterator[str]:
    """What AWS does not let Slipway see to, where somebody must allow it."""
    if found["code_storage_fault"]:
        yield f"code storage: not known ({one_line(found['code_storage_fault'])})"
    for one in found["unpruned"]:
        yield f"old versions of {one_line(one['function'])} stay: {one_line(one['why'])}"


def _function(one: dict[str, Any]) -> list[str]:
    record = one["record"]
    same = [commit[:7] for commit in record.get("commits", ()) if commit != record["commit"]]
    also = f" (the same version as {', '.join(same)})" if same else ""
    commit = f"commit {record['commit'][:7]}{also}"
    live = f"version {record['version']}, {commit}, since {record['since']}"
    lines = [
        f"{one_line(one['function'])}",
        f"  live  {live}",
        f"        sha256 {record['sha256']}, run {record['run_id']}",
        f"  next  {one_line(one['next']['text'])}",
    ]
    if one["releasing"]:
        lines.append(f"  run {one['releasing']} is releasing it now")
    if one["fault"]:
        lines.append(click.style(f"  not looked at: {one_line(one['fault'])}", fg="yellow"))
    drift = (f"  DRIFT {one_line(difference['text'])}" for difference in one["differs"])
    lines += [click.style(line, fg="red") for line in drift]
    if one["not_repaired"]:
        lines.append(click.style(f"  not put back: {one_line(one['not_repaired'])}", fg="yellow"))
    return lines
