"""`slipway check` and `slipway hook`: a repository made ready for Slipway."""

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import click

from config import trust
from config.pipeline import ConfigError, Pipeline, load
from config.runtimes import unknown
from config.settings import Settings, SettingsError, settings
from workers.docker.presets import Folder, Remembered, recipe
from workers.github.client import GitHub
from workers.github.hooks import install
from workers.ledger.model.errors import RunError, UserError

HOOK_PATH = "/webhooks/github"


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="slipway.toml")
@click.option("--strict", is_flag=True, help="End with 1 if there is a warning, too.")
def check(file: Path, *, strict: bool) -> None:
    """Say what is wrong in FILE, a line for each problem.

    What the files beside it say of a build, and names of runtimes, give warnings.
    """
    try:
        pipeline = load(file)
    except ConfigError as error:
        click.echo(str(error))
        sys.exit(1)
    warnings = list(_warnings(pipeline, file.parent))
    for warning in warnings:
        click.echo(f"{file}: warning: {warning}", err=True)
    if warnings and strict:
        sys.exit(1)
    click.echo(f"{file} is fine: {_contents(pipeline)}")


def _warnings(pipeline: Pipeline, folder: Path) -> Iterator[str]:
    """What would go wrong in a build of the folder's files."""
    files = Remembered(Folder(folder))
    for name, function in pipeline.functions.items():
        if function.runtime and (why := unknown(function.runtime)):
            yield f"[functions.{name}]: {why}"
    said: dict[str, str] = {}
    for name in pipeline.functions:
        try:
            recipe(pipeline, name, files, str(folder))
        except UserError as error:
            said.setdefault(str(error), name)
    yield from said


def _contents(pipeline: Pipeline) -> str:
    checks = len(pipeline.test.checks) if pipeline.test else 0
    counts = [(checks, "check"), (len(pipeline.functions), "function")]
    parts = [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts]
    return ", ".join([*parts, *(["a site"] if pipeline.site else [])])


@click.group()
def hook() -> None:
    """Webhooks on GitHub."""


@hook.command("install")
@click.argument("repository", metavar="OWNER/REPO")
def hook_install(repository: str) -> None:
    """Make OWNER/REPO tell this Slipway of its pushes and pull requests, or put that right."""
    try:
        chosen = settings()
        url = _hook_url(chosen)
        secret = chosen.github_webhook_secrets[0].get_secret_value()
        with TemporaryDirectory() as folder:
            authorities = trust.file(chosen.authorities, Path(folder))
            outcome = install(_github(chosen, authorities), repository, url, secret)
    except (SettingsError, RunError) as error:
        raise click.ClickException(str(error)) from None
    said = {"created": "created", "repaired": "put right", "unchanged": "there already"}
    click.echo(f"{repository}: webhook {said[outcome]}, to {url}")


def _github(chosen: Settings, authorities: Path | None) -> GitHub:
    token = chosen.github_token
    return GitHub(
        chosen.github_api_url,
        token=token.get_secret_value() if token else None,
        app_id=chosen.github_app_id,
        private_key=chosen.private_key(),
        authorities=authorities,
    )


def _hook_url(chosen: Settings) -> str:
    if _local(chosen.url) and not _local(chosen.github_api_url):
        raise click.ClickException(
            f"GitHub can't reach {chosen.url}: set SLIPWAY_PUBLIC_URL to the address at which the "
            "world reaches this Slipway."
        )
    return f"{chosen.url}{HOOK_PATH}"


def _local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified
