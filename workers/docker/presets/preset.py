"""What a preset is: the runtimes it serves, the files that count, and its Dockerfile's lines."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from workers.docker.presets.files import Files


class Order(NamedTuple):
    """What a preset is asked for: a version of its language, for these files.

    `path` is where the files are to be in the image, `args` are the names of build arguments.
    `files` lie in the build's context at `at`, which is "" or ends with a slash; `root` are the
    whole repository's, `source` is their folder in it. `handler` is the function's, if it says.
    """

    version: str
    files: Files
    path: str
    args: Sequence[str] = ()
    at: str = ""
    root: Files | None = None
    source: str = ""
    handler: str = ""

    def copied(self, names: Iterable[str], into: str) -> str:
        """The line that copies some files of the function's folder."""
        return f"COPY {' '.join(self.at + name for name in names)} {into}"

    def all(self, into: str) -> str:
        """The line that copies the function's whole folder."""
        return f"COPY {self.at or '.'} {into}"

    def declared(self) -> list[str]:
        """A line for each build argument."""
        return [f"ARG {name}" for name in self.args]


class Preset(NamedTuple):
    """One language.

    `runtime` matches the runtimes it serves, the version in its first group if there is one;
    `such_as` is one of them, `image` what it begins with; `manifests` are the files that show
    the language, `counts` all that say what is installed, as people are told. `lines` makes a
    Dockerfile's lines, and raises UserError where it can't.
    """

    name: str
    language: str
    runtime: re.Pattern[str]
    such_as: str
    image: str
    manifests: tuple[str, ...]
    counts: str
    lines: Callable[[Order], list[str]]

    def serves(self, runtime: str) -> str | None:
        """The version that a runtime asks for, None if it is another preset's."""
        match = self.runtime.fullmatch(runtime)
        return match and (match[1] if match.lastindex else "")

    def detect(self, files: Files) -> str | None:
        """The first of its manifests that is there."""
        return next((name for name in self.manifests if files.exists(name)), None)
