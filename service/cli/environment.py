"""`slipway rollback`, `slipway lock` and `slipway unlock`: an environment changed by hand."""

from typing import Any

import click

from service.cli.client import Client
from service.cli.runs import follow_to_end, one_line

REASON = click.option("--reason", default="", metavar="TEXT", help="Shown to everybody.")


@click.command()
@click.argument("environment", metavar="ENV")
@click.option("--to", required=True, metavar="COMMIT", help="Its id, how it begins, or previous.")
@click.option("--function", metavar="F", help="Only this function.")
@click.option("--repository", metavar="OWNER/NAME", help="Where several release to ENV.")
@REASON
@click.option("--no-wait", is_flag=True, help="Don't wait for its end.")
def rollback(*, environment: str, no_wait: bool, **asked: str | None) -> None:
    """Make what ENV ran before live again, without a build, and hold ENV.

    Waits for the end; the exit code is 0 if the rollback succeeded, else 1.
    """
    client = Client.from_environment()
    body = {name: value for name, value in asked.items() if value}
    begun = client.operate(environment, "rollback", body)
    click.echo(f"{_place(begun)} goes back to {begun['commit']}, by run {begun['run_id']}:")
    for release in begun["releases"]:
        click.echo(f"  {one_line(release['function'])} version {release['version']}")
    held = _held(begun["repositories"])
    click.echo(f"{held} to {_place(begun)} are held until `slipway unlock {_place(begun)}`")
    if not no_wait:
        follow_to_end(client, begun["run_id"])


@click.command()
@click.argument("environment", metavar="ENV")
@REASON
@click.option("--for", "expires_in", metavar="DURATION", help="Such as 2h; else until unlocked.")
@click.option("--until", metavar="TIME", help="Such as 2026-12-24T18:00:00Z.")
def lock(*, environment: str, **asked: str | None) -> None:
    """Have nothing released to ENV; pushes are built and wait."""
    body = {name: value for name, value in asked.items() if value}
    locked = Client.from_environment().operate(environment, "lock", body)
    until = locked["locked"]["expires_at"] or f"`slipway unlock {_place(locked)}`"
    click.echo(f"{_place(locked)} is locked until {until}")


@click.command()
@click.argument("environment", metavar="ENV")
@REASON
@click.option("--no-release", is_flag=True, help="End what was held instead of releasing it.")
def unlock(*, environment: str, reason: str, no_release: bool) -> None:
    """Let what was held back from ENV go live."""
    body = {"reason": reason, "release": not no_release}
    opened = Client.from_environment().operate(environment, "unlock", body)
    click.echo(f"{_place(opened)} is unlocked")
    what = "goes live now" if opened["released"] else "is cancelled"
    for run in opened["runs"]:
        name = one_line(run["repository"])
        click.echo(f"run {run['run_id']}: {name} {run['commit'][:7]} {what}")


def _held(repositories: int) -> str:
    """Whose pushes a rollback holds: of all that release there, whichever it was for."""
    return f"pushes of all {repositories} repositories" if repositories > 1 else "pushes"


def _place(answer: dict[str, Any]) -> str:
    return one_line(str(answer["environment"]))
