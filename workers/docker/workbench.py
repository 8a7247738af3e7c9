"""One source tree on one engine: images of it, and what is released out of them."""

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from config.building import folder
from config.pipeline import Pipeline
from workers.docker import images
from workers.docker.archive import export
from workers.docker.bounds import Bounds
from workers.docker.engine import Engine
from workers.docker.presets import Folder, recipes
from workers.docker.stop import Stop
from workers.ledger.model.errors import UserError
from workers.ledger.model.guard import Watch
from workers.packaging import artifact, contents, handler
from workers.packaging.deflate import Blob
from workers.packaging.package import Package, package
from workers.packaging.selection import Selection
from workers.packaging.site_files import SiteFiles, read_site

TOGETHER = 3
"""Images of one repository that are built at once."""

# An old engine names each step's digest on a line of its own, which helps nobody.
_NOISE = re.compile(r"(#\d+ sha256:[0-9a-f]{64})?\s*")


class Output(NamedTuple):
    """What was built: each function's package, and the site's files if there is a site."""

    packages: dict[str, Package]
    site: SiteFiles | None


class _Job(NamedTuple):
    """One image: a Dockerfile of the repository or a preset's text, its context and its stage."""

    dockerfile: str
    text: str
    context: str
    target: str | None


_Taker = tuple[str, tuple[str, ...]]
"""A function, and what its package includes from beside its own folder."""


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
    leaving: Lock = field(default_factory=Lock, repr=False, compare=False)

    @contextmanager
    def image(  # noqa: PLR0913 - an image build has that many sides
        self,
        dockerfile: str | Path,
        purpose: str,
        *,
        args: Mapping[str, str] | None = None,
        network: bool = True,
        context: str = "",
        target: str | None = None,
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
            below=context,
            target=target,
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
        jobs = list(self._jobs(pipeline).items())
        names = ["build", *(f"build-{number}" for number in range(2, len(jobs) + 1))]
        stop = Stop(self.watch)
        bench = replace(self, watch=stop)
        with ThreadPoolExecutor(TOGETHER) as pool:
            running = [
                pool.submit(stop.at_error, partial(bench.made, *job, name, pipeline, args))
                for job, name in zip(jobs, names, strict=True)
            ]
        made = stop.results(running)
        packages = {name: one for output in made for name, one in output.packages.items()}
        return Output(packages, next((output.site for output in made if output.site), None))

    def made(
        self,
        job: _Job,
        takers: Mapping[str, list[_Taker]],
        purpose: str,
        pipeline: Pipeline,
        args: Mapping[str, str],
    ) -> Output:
        """What one image gives; the files leave images one after another, for trees are large."""
        packages: dict[str, Package] = {}
        site: SiteFiles | None = None
        file = job.dockerfile or self._written(job.text, purpose)
        build = pipeline.build
        with (
            self.image(
                file,
                purpose,
                args=args,
                network=build.network,
                context=job.context,
                target=job.target,
            ) as built,
            self.leaving,
        ):
            for path, functions in takers.items():
                packages |= self._packages(built, path, pipeline, functions)
            if pipeline.site and job == _site_job(pipeline):
                site = self._site(built, pipeline.site.path)
        return Output(packages, site)

    def _jobs(self, pipeline: Pipeline) -> dict[_Job, dict[str, list[_Taker]]]:
        """Each image once, with the functions that take from each path of it."""
        jobs: dict[_Job, dict[str, list[_Taker]]] = {}
        if pipeline.site:
            jobs[_site_job(pipeline)] = {}
        for name, found in sorted(recipes(pipeline, Folder(self.source), self.where).items()):
            job = _Job(found.dockerfile, found.text, found.context, found.target)
            jobs.setdefault(job, {}).setdefault(found.path, []).append((name, found.shared))
        return jobs

    def _written(self, preset: str, purpose: str) -> Path:
        """A preset's Dockerfile, beside the source and in the log."""
        for line in preset.rstrip("\n").split("\n"):
            self.say(f"{purpose}/preset", line)
        file = self.folder / f"{purpose}.Dockerfile"
        file.write_text(preset)
        return file

    def _packages(
        self, built: str, path: str, pipeline: Pipeline, takers: Iterable[_Taker]
    ) -> dict[str, Package]:
        made: dict[str, Package] = {}
        selections: dict[str, Selection] = {}
        for name, shared in takers:
            if own := pipeline.functions[name].artifact:
                made[name] = self._artifact(built, posixpath.join(path, own), pipeline, name)
            else:
                selections[name] = _selection(pipeline, name, shared)
        if not selections:
            return made
        with export(self.engine, built, path, self.labels, self.watch) as tar:
            return made | package(
                tar,
                selections,
                self.folder,
                root=path,
                watch=self.watch,
                judge=partial(self._judge, pipeline),
            )

    def _artifact(self, built: str, path: str, pipeline: Pipeline, function: str) -> Package:
        judge = partial(self._judge, pipeline, function)
        with export(self.engine, built, path, self.labels, self.watch) as tar:
            return artifact.take(tar, path, self.folder, judge)

    def _judge(
        self,
        pipeline: Pipeline,
        function: str,
        files: Mapping[str, Blob],
        head: Callable[[Blob], bytes],
    ) -> None:
        """Refuse a package that its function can't start from; say what else looks wrong."""
        own = pipeline.functions[function]
        warnings = [handler.check(function, own.runtime, own.handler, files, head)]
        for warning in filter(None, (*warnings, *contents.odd(function, files, head))):
            self.say("build", warning)

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


def _site_job(pipeline: Pipeline) -> _Job:
    build = pipeline.build
    return _Job(build.dockerfile, "", folder(build.context), build.target)


def _selection(pipeline: Pipeline, function: str, shared: Collection[str]) -> Selection:
    """What a function takes; what is shared alone leaves its own files in."""
    include, exclude = pipeline.selection(function)
    own = [one for one in include if folder(one) not in shared]
    return Selection(include if own else (), exclude)
