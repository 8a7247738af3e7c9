"""`slipway releases`: what was made live, and moving it to another repository."""

import json
from typing import Any

import click

from service.cli.client import Client
from service.cli.runs import one_line


@click.command()
@click.argument("environment", metavar="[ENV]", required=False)
@click.option(
    "--take-over",
    "repository",
    metavar="OWNER/REPO",
    help="Let this repository have what it was refused because it is another's.",
)
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The API's answers, for scripts.")
def releases(*, environment: str | None, repository: str | None, limit: int, as_json: bool) -> None:
    """List what was made live in ENV, or in every environment, newest first."""
    client = Client.from_environment()
    if repository:
        answer = client.take_over(repository, environment)
        click.echo(json.dumps(answer, indent=2) if as_json else _taken(answer))
        return
    names = [environment] if environment else client.environments()
    found = {name: client.releases(name, limit) for name in names}
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, rows in found.items():
        for row in rows:
            click.echo("\t".join(_columns(name, row)))
    if not any(found.values()):
        click.echo("No releases.", err=True)


def _columns(environment: str, row: dict[str, Any]) -> tuple[str, ...]:
    what = f"{row['function']}:{row['alias']}" if row["function"] else f"s3://{row['site']}"
    facts = (what, row["version"] or "-", row["commit"], row["repository"], row["at"])
    return tuple(one_line(str(part)) for part in (environment, *facts))


def _taken(answer: dict[str, Any]) -> str:
    repository = one_line(str(answer["repository"]))
    if not answer["taken"]:
        return (
            f"{repository} was refused nothing so far: what it would be refused within a day, "
            "it takes over"
        )
    lines = [
        f"{one_line(one['name'])} ({one_line(one['environment'])}) belongs to {repository} now, "
        f"no longer to {one_line(str(one['from']))}: slipway retry {one['refused_run_id']}"
        for one in answer["taken"]
    ]
    return "\n".join(lines)
