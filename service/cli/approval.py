"""`slipway approve` and `slipway reject`: a word on what waits, after a look at it."""

import sys
from typing import Any

import click

from service.cli.client import Client
from service.cli.runs import one_line

NOTE = click.option("--note", default="", metavar="TEXT", help="Kept with the run.")


@click.command()
@click.argument("run")
@NOTE
@click.option("--yes", is_flag=True, help="Don't ask on a terminal.")
def approve(*, run: str, note: str, yes: bool) -> None:
    """Approve what RUN waits with: its id, or how it begins.

    What is shown is what is approved: should another candidate wait by then, nothing happens.
    """
    client = Client.from_environment()
    shown = _waiting(client, run)
    if not yes and sys.stdin.isatty():
        click.confirm("Approve it?", abort=True, err=True)
    missing = client.decide(shown["id"], "approve", _word(shown, note))
    more = f"{_approvals(missing)} more needed" if missing else "it goes live now"
    click.echo(f"run {shown['id']} approved; {more}")


@click.command()
@click.argument("run")
@NOTE
def reject(*, run: str, note: str) -> None:
    """Reject what RUN waits with: its id, or how it begins; the run ends."""
    client = Client.from_environment()
    shown = _waiting(client, run)
    client.decide(shown["id"], "reject", _word(shown, note))
    click.echo(f"run {shown['id']} rejected; it ends now")


def _waiting(client: Client, given: str) -> dict[str, Any]:
    """The run, told to whoever decides about it."""
    run = client.run(client.find(given))
    if not (run.get("approval") or {}).get("expires_at"):
        why = f": {one_line(run['error'])}" if run.get("error") else ""
        raise click.ClickException(
            f"run {run['id']} is not waiting for approval; it is {run['state']}{why}"
        )
    for line in _lines(run, run["approval"]):
        click.echo(line)
    return run


def _word(run: dict[str, Any], note: str) -> dict[str, str]:
    asked = run["approval"]
    return {"commit": asked["commit"], "sha256": asked["sha256"], "note": note}


def _lines(run: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    where = f"{one_line(run['repository'])} to {one_line(run['environment'] or '')}"
    people = ", ".join(map(one_line, asked["approvers"])) or "anybody with a token"
    return [
        click.style(f"run {run['id']}: {where}", bold=True),
        f"  commit     {asked['commit']}",
        f"  candidate  {asked['sha256']}",
        *(_move(release, asked["alias"]) for release in run["releases"]),
        *map(_vote, asked["votes"]),
        f"  {_approvals(asked['missing'])} needed, until {asked['expires_at']}, by {people}",
    ]


def _move(release: dict[str, Any], alias: str) -> str:
    function, version = one_line(release["function"]), release["version"] or "?"
    return f"  {function}: {one_line(alias)} \u2192 version {version}, sha256 {release['sha256']}"


def _vote(vote: dict[str, Any]) -> str:
    said = "approved" if vote["verdict"] == "approve" else "rejected"
    note = f": {one_line(vote['note'])}" if vote["note"] else ""
    return f"  {one_line(vote['who'])} {said}{note}"


def _approvals(count: int) -> str:
    return f"{count} approval{'' if count == 1 else 's'}"
