"""What a preset is: the runtimes it serves, the files that count, and its Dockerfile's lines."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from workers.docker.presets.files import Files


class Order(NamedTuple):
    """What a preset is asked for: a version of its language, for these files.

    `path` is where the files are to be in the image, `args` are the names of build arguments.
    `files` lie in the build's context at `at`, which is "" or ends with a slash.
    `home` is where in the context the manifest or lock file lies that builds them, at the same
    place or above it, and `top` are the files there. `handler` is the function's, `script` what
    [build] says of package.json's, `include` are plain paths that the function's folder has.
    """

    version: str
    files: Files
    path: str
    args: Sequence[str] = ()
    at: str = ""
    home: str = ""
    top: Files | None = None
    handler: str = ""
    script: str | Literal[False] | None = None
    include: tuple[str, ...] = ()

    @property
    def is_member(self) -> bool:
        """Whether the folder is built by what lies above it."""
        return self.home != self.at

    @property
    def below(self) -> str:
        """The folder as it lies below the home."""
        return self.at[len(self.home) :].rstrip("/")

    def whole(self) -> str:
        """The line that copies all that is built by one manifest or lock file."""
        return f"COPY {self.home or '.'} ."

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
    the language, `counts` all that say what is installed, as people are told. `above` says what
    a folder may have above it instead of its own; `lines` makes a Dockerfile's lines, and raises
    UserError where it can't.
    """

    name: str
    language: str
    runtime: re.Pattern[str]
    such_as: str
    image: str
    manifests: tuple[str, ...]
    counts: str
    above: Callable[[Files], tuple[str, ...]]
    lines: Callable[[Order], list[str]]

    def serves(self, runtime: str) -> str | None:
        """The version that a runtime asks for, None if it is another preset's."""
        match = self.runtime.fullmatch(runtime)
        return match and (match[1] if match.lastindex else "")

    def detect(self, files: Files) -> str | None:
        """The first of its manifests that is there."""
        return next((name for name in self.manifests if files.exists(name)), None)
