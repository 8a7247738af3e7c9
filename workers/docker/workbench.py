"""One source tree on one engine: images of it, and what is released out of them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from config.pipeline import Pipeline
from workers.docker import images
from workers.docker.archive import export
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.docker.presets import Folder, recipe
from workers.ledger.model.errors import UserError
from workers.ledger.model.guard import Watch
from workers.packaging.package import Package, package
from workers.packaging.selection import Selection
from workers.packaging.site_files import SiteFiles, read_site

# An old engine names each step's digest on a line of its own, which helps nobody.
_NOISE = re.compile(r"(#\d+ sha256:[0-9a-f]{64})?\s*")


class Output(NamedTuple):
    """What was built: each function's package, and the site's files if there is a site."""

    packages: dict[str, Package]
    site: SiteFiles | None


@dataclass(frozen=True)
class Workbench:
    """What builds need; `folder` gets what is made.

    `where` names the source in errors; `bounds` and `seconds` are the operator's limits; `say`
    takes the name of what speaks, and text.
    """

    engine: Engine
    source: Path
    folder: Path
    where: str
    labels: Mapping[str, str]
    bounds: Bounds
    seconds: float
    say: Callable[[str, str], None]
    watch: Watch

    @contextmanager
    def image(
        self,
        dockerfile: str | Path,
        purpose: str,
        *,
        args: Mapping[str, str] | None = None,
        network: bool = True,
    ) -> Iterator[str]:
        """The id of an image of the source, which is gone afterwards; BuildKit's cache stays.

        A Dockerfile of the source is named as text; a Path is one of ours, anywhere.
        """
        built = images.build(
            self.engine,
            self.source,
            dockerfile,
            bounds=self.bounds,
            args=args or {},
            labels=self.labels,
            network=network,
            timeout=self.seconds,
            say=lambda text: self._say_lines(f"{purpose}/image", text),
            watch=self.watch,
        )
        try:
            yield built
        finally:
            images.remove(self.engine, built)

    def build(self, pipeline: Pipeline, args: Mapping[str, str]) -> Output:
        """Build each image that is asked for once, and take out what is to be released.

        Raises:
            UserError: a Dockerfile is missing and no preset does, or a build or package fails.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        packages: dict[str, Package] = {}
        site: SiteFiles | None = None
        for number, ((dockerfile, text), takers) in enumerate(self._orders(pipeline), start=1):
            purpose = "build" if number == 1 else f"build-{number}"
            file = dockerfile or self._written(text, purpose)
            with self.image(file, purpose, args=args, network=pipeline.build.network) as built:
                for path, functions in takers.items():
                    packages |= self._packages(built, path, pipeline, functions)
                if pipeline.site and dockerfile == pipeline.build.dockerfile:
                    site = self._site(built, pipeline.site.path)
        return Output(packages, site)

    def _orders(self, pipeline: Pipeline) -> Iterable[tuple[tuple[str, str], dict[str, list[str]]]]:
        """Each Dockerfile or preset once, with the functions that take from each path of it."""
        files = Folder(self.source)
        orders: dict[tuple[str, str], dict[str, list[str]]] = {}
        if pipeline.site:
            orders[pipeline.build.dockerfile, ""] = {}
        for function in sorted(pipeline.functions):
            found = recipe(pipeline, function, files, self.where)
            takers = orders.setdefault((found.dockerfile, found.text), {})
            takers.setdefault(found.path, []).append(function)
        return orders.items()

    def _written(self, preset: str, purpose: str) -> Path:
        """A preset's Dockerfile, beside the source and in the log."""
        for line in preset.rstrip("\n").split("\n"):
            self.say(f"{purpose}/preset", line)
        file = self.folder / f"{purpose}.Dockerfile"
        file.write_text(preset)
        return file

    def _packages(
        self, built: str, path: str, pipeline: Pipeline, functions: Iterable[str]
    ) -> dict[str, Package]:
        selections = {name: Selection(*pipeline.selection(name)) for name in functions}
        with export(self.engine, built, path, self.labels, self.watch) as tar:
            return package(tar, selections, self.folder, root=path, watch=self.watch)

    def _site(self, built: str, path: str) -> SiteFiles:
        with export(self.engine, built, path, self.labels, self.watch) as tar:
            try:
                return read_site(tar, self.folder / "site", root=path, watch=self.watch)
            except UserError as error:
                raise UserError(f"the site's {path}: {error}") from None

    def _say_lines(self, source: str, text: str) -> None:
        for line in text.split("\n"):
            if not _NOISE.fullmatch(line):
                self.say(source, line)
