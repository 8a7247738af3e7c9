"""`slipway runs`, `log`, `cancel` and `retry`: the JSON API on the command line."""

import json
import re
import sys
from datetime import datetime
from typing import Any

import click

from config.terminal import plain
from config.units import ago, duration, now
from service.cli.client import Client
from service.cli.follow import follow

SHORT_ID = 8
COLOURS = {
    "queued": "bright_black",
    "running": "blue",
    "waiting": "yellow",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "bright_black",
    "superseded": "bright_black",
}
HEADINGS = ("RUN", "STATE", "REPOSITORY", "BRANCH", "COMMIT", "FOR", "WHEN", "DURATION")
STATE_COLUMN = HEADINGS.index("STATE")


@click.command()
@click.option("--repository", metavar="OWNER/NAME", help="Only this repository.")
@click.option("--branch", help="Only this branch.")
@click.option("--environment", help="Only deploys to this environment.")
@click.option("--state", type=click.Choice(list(COLOURS)), help="Only these.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The API's answer, for scripts.")
def runs(*, as_json: bool, **filters: str | int | None) -> None:
    """List runs, newest first.

    Through a pipe: whole ids and times, tabs between the columns, no headings.
    """
    page = Client.from_environment().runs(**filters)
    if as_json:
        click.echo(json.dumps(page, indent=2))
    elif not sys.stdout.isatty():
        for run in page["runs"]:
            click.echo("\t".join(_columns(run, terminal=False)))
    elif not page["runs"]:
        click.echo("No runs.", err=True)
    else:
        _table([_columns(run, terminal=True) for run in page["runs"]])


@click.command()
@click.option("-f", "--follow", "on", is_flag=True, help="Go on until the run ends.")
@click.option("--whole", is_flag=True, help="Of an ended run: also what had to be cut.")
@click.argument("run")
def log(*, on: bool, whole: bool, run: str) -> None:
    """Show the log of RUN: its id, or how it begins.

    With -f, the exit code is 0 if the run succeeded, else 1.
    """
    if on and whole:
        raise click.UsageError("--follow and --whole exclude each other.")
    client = Client.from_environment()
    run_id = client.find(run)
    if whole:
        for text in client.whole_log(run_id):
            click.echo(plain(text), nl=False)
        return
    if not on:
        text, _ = client.log(run_id)
        click.echo(plain(text), nl=False)
        return
    follow_to_end(client, run_id)


def follow_to_end(client: Client, run_id: str) -> None:
    """Print a run's log until it ends, and leave with 0 if it succeeded, else with 1."""
    ended = follow(client, run_id)
    state = str(ended["state"])
    why = f": {one_line(ended['error'])}" if ended.get("error") and state != "succeeded" else ""
    click.secho(f"run {run_id} {state}{why}", fg=COLOURS.get(state), err=True)
    sys.exit(0 if state == "succeeded" else 1)


@click.command()
@click.argument("run")
def cancel(run: str) -> None:
    """End RUN: its id, or how it begins."""
    client = Client.from_environment()
    run_id = client.find(run)
    asked = client.cancel(run_id) == "asked"
    click.echo(f"run {run_id} {'ends as soon as its worker hears of it' if asked else 'cancelled'}")


@click.command()
@click.argument("run")
def retry(*, run: str) -> None:
    """Run the order of RUN once more: its id, or how it begins."""
    client = Client.from_environment()
    run_id = client.find(run)
    click.echo(f"run {client.retry(run_id)} takes the place of {run_id}")


def _columns(run: dict[str, Any], *, terminal: bool) -> tuple[str, ...]:
    created = run["created_at"]
    lasted = _lasted(run)
    return (
        run["id"][:SHORT_ID] if terminal else run["id"],
        run["state"],
        one_line(run["repository"]),
        one_line(run["ref"].removeprefix("refs/heads/")),
        run["commit"][:7] if terminal else run["commit"],
        one_line(run["environment"] or run["purpose"]),
        ago(_milliseconds(created)) if terminal else created,
        _length(lasted) if terminal else f"{(lasted or 0) / 1000:.3f}",
    )


def _length(lasted: int | None) -> str:
    return "\u2013" if lasted is None else duration(lasted / 1000)


def one_line(text: str) -> str:
    """A text as one line without colours or anything else that a terminal would obey."""
    return re.sub(r"\s+", " ", click.unstyle(plain(text)))


def _lasted(run: dict[str, Any]) -> int | None:
    if not run.get("started_at"):
        return None
    end = _milliseconds(run["finished_at"]) if run.get("finished_at") else now()
    return max(0, end - _milliseconds(run["started_at"]))


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    click.secho(_line(HEADINGS, widths), bold=True)
    for row in rows:
        padded = _line(row, widths)
        at = sum(width + 2 for width in widths[:STATE_COLUMN])
        end = at + len(row[STATE_COLUMN])
        state = click.style(padded[at:end], fg=COLOURS.get(row[STATE_COLUMN]))
        click.echo(padded[:at] + state + padded[end:])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join(cells).rstrip()
