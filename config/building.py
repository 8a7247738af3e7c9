"""How a repository's images are built: `[build]`, and where a function is built by it."""

import posixpath
import re
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, StrictBool

from config import limits, toml
from config.values import FrozenMap, ImagePath, InsidePath, Matching, at_most

_PLACEHOLDERS = ("environment", "commit", "branch")
_PLACEHOLDER = re.compile(r"\{(" + "|".join(_PLACEHOLDERS) + r")\}")

ArgName = Annotated[
    str, Matching(r"[A-Za-z_][A-Za-z0-9_]{0,127}", "the name of an ARG of the Dockerfile")
]
# BuildKit's rule for a stage's name, or its number.
Stage = Annotated[
    str, Matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", 'a stage of the Dockerfile, such as "app"')
]
Script = Annotated[
    str,
    Matching(r"[A-Za-z0-9:._-]{1,100}", 'a script of package.json, such as "bundle", or false'),
]
PresetName = Annotated[str, Matching(r"[a-z]{1,20}", 'a preset such as "python", or false')]


def _argument(value: str) -> str:
    if "\0" in value or re.search(r"[{}]", _PLACEHOLDER.sub("", value)):
        known = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
        raise ValueError(f"expected text in which only {known} stand in braces")
    if len(value.encode(errors="replace")) > limits.ARGUMENT:
        raise ValueError(f"expected at most {limits.ARGUMENT} bytes; put it in a file")
    return value


class Build(toml.Section):
    """The build stage: an image that holds the files to release."""

    dockerfile: InsidePath = Field(
        "Dockerfile", description="builds the image that holds the files to release"
    )
    path: ImagePath = Field("/app", description="where the files are in the image")
    target: Stage | None = Field(None, description="stage of the Dockerfile; else its last")
    context: InsidePath | None = Field(
        None, description="folder that the Dockerfile copies from; else the whole repository"
    )
    preset: PresetName | Literal[False] | None = Field(
        None,
        description='preset that builds, such as "python", although a Dockerfile is there; false:'
        " never one",
    )
    script: Script | Literal[False] | None = Field(
        None, description="package.json's script that builds; else `build`; false: none"
    )
    args: Annotated[
        FrozenMap[ArgName, Annotated[str, AfterValidator(_argument)]],
        AfterValidator(at_most(limits.ARGUMENTS, "build arguments")),
    ] = Field(
        {},
        validate_default=True,
        description="build arguments; {environment}, {commit} and {branch} are filled in",
    )
    network: StrictBool = Field(default=True, description="whether the build reaches the network")
    reuse: StrictBool = Field(
        default=True, description="whether a git tree that was built is not built again"
    )

    def arguments(self, *, environment: str, commit: str, branch: str) -> dict[str, str]:
        """The build arguments with their placeholders filled in."""
        values = {"environment": environment, "commit": commit, "branch": branch}
        return {
            name: _PLACEHOLDER.sub(lambda match: values[match[1]], text)
            for name, text in self.args.items()
        }


class Place(NamedTuple):
    """Where a function is built: folders without a slash at their ends, "" for the repository.

    `dockerfile` is the one that it asks for, `path` is where its files are in the image.
    """

    source: str
    dockerfile: str | None
    context: str
    target: str | None
    path: str


def folder(path: str | None) -> str:
    """A folder of the repository in one spelling; the repository itself is ""."""
    plain = posixpath.normpath(path or ".")
    return "" if plain == "." else plain
