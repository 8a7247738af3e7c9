"""`slipway build`: what a push would release, made here, with the same code."""

import base64
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

import click

from config.pipeline import ConfigError, Pipeline, load
from config.settings import passed_on
from workers.docker.bounds import Bounds
from workers.docker.engine import ENVIRONMENT, Engine
from workers.docker.litter import labels
from workers.docker.presets import Folder, Recipe, recipe
from workers.docker.workbench import Output, Workbench
from workers.ledger.model.errors import RunError
from workers.packaging.package import Package, idle
from workers.source.working_copy import Copied, copy

FILE = "slipway.toml"
SECONDS = 1800


class _Going:
    """A watch that lets the work go on: here only Ctrl-C ends it."""

    def check(self) -> None:
        """Go on."""


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@click.option("--function", "functions", multiple=True, help="Only this one; may be repeated.")
@click.option("--environment", default="", help="What {environment} in [build] args becomes.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder that gets the zips.")
@click.option(
    "--network",
    type=click.Choice(["default", "host", "none"]),
    default="default",
    envvar="SLIPWAY_BUILD_NETWORK",
    help="Network of the image builds.",
)
@click.option("--show", is_flag=True, help="Print the Dockerfiles of presets; build nothing.")
def build(  # noqa: PLR0913 - an option each
    path: Path,
    functions: tuple[str, ...],
    environment: str,
    output: Path | None,
    network: str,
    *,
    show: bool,
) -> None:
    """Build and package the working copy at PATH, and tell sizes and hashes.

    The hashes are those that a push of the same files gives. Files that git ignores are left out.
    """
    try:
        pipeline = _chosen(load(path / FILE), functions)
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
            copied = copy(path, Path(folder, "source"))
            if show:
                _show(pipeline, Folder(Path(folder, "source")), str(path))
                return
            bench = _workbench(Path(folder), str(path), network)
            made = bench.build(pipeline, _arguments(pipeline, environment, copied))
            _tell(made, output)
    except ConfigError as error:
        click.echo(str(error))
        sys.exit(1)
    except RunError as error:
        raise click.ClickException(str(error)) from None


def _chosen(pipeline: Pipeline, functions: tuple[str, ...]) -> Pipeline:
    if not functions:
        return pipeline
    unknown = [name for name in functions if name not in pipeline.functions]
    if unknown:
        known = ", ".join(pipeline.functions) or "none"
        raise click.ClickException(f"{FILE} has no function {unknown[0]}; it has: {known}")
    chosen = {name: pipeline.functions[name] for name in functions}
    return pipeline.model_copy(update={"functions": chosen, "site": None})


def _show(pipeline: Pipeline, files: Folder, where: str) -> None:
    """Print what builds each function, a generated Dockerfile once."""
    recipes: dict[Recipe, list[str]] = {}
    for name in sorted(pipeline.functions):
        recipes.setdefault(recipe(pipeline, name, files, where), []).append(name)
    for found, names in recipes.items():
        click.echo(f"# {', '.join(names)}")
        click.echo(found.text.rstrip("\n") or f"# {found.dockerfile} of the repository")
        click.echo()


def _workbench(folder: Path, where: str, network: str) -> Workbench:
    run = f"local-{uuid.uuid4()}"
    return Workbench(
        engine=Engine(passed_on(*ENVIRONMENT)),
        source=folder / "source",
        folder=folder / "made",
        where=where,
        labels=labels(run, 1),
        bounds=Bounds(network, "local"),
        seconds=SECONDS,
        say=lambda source, text: click.echo(f"[{source}] {text}", err=True),
        watch=_Going(),
    )


def _arguments(pipeline: Pipeline, environment: str, copied: Copied) -> dict[str, str]:
    return pipeline.build.arguments(
        environment=environment, commit=copied.commit, branch=copied.branch
    )


def _tell(made: Output, output: Path | None) -> None:
    for name, package in made.packages.items():
        click.echo(f"{name}: {package.files} files, {package.size} bytes")
        click.echo(f"  sha256 {package.sha256}")
        click.echo(f"  hex    {base64.b64decode(package.sha256).hex()}")
        for include in package.unmatched:
            click.echo(f"  include {include!r} matches no file")
        if output:
            click.echo(f"  zip    {_put(package, output, name)}")
    for exclude in idle(made.packages.values()):
        click.echo(f"exclude {exclude!r} matches no file")
    if made.site:
        size = sum(file.size for file in made.site.files.values())
        click.echo(f"site: {len(made.site.files)} files, {size} bytes")


def _put(package: Package, output: Path, name: str) -> Path:
    try:
        output.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(package.path, output / f"{name}.zip"))
    except OSError as error:
        raise click.ClickException(f"{output} can't be written: {error.strerror}") from None
