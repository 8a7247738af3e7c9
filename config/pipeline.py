"""A repository's `slipway.toml`: what to test, build and release."""

import json
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from config import toml
from config.building import Build, Place, folder
from config.toml import ConfigError
from config.toml.lines import Path as Location
from config.values import (
    Bucket,
    Command,
    Distribution,
    FrozenMap,
    ImagePath,
    InsidePath,
    InsidePaths,
    Matching,
    MediaType,
    Seconds,
    TypedName,
    at_most,
)

__all__ = [
    "Build",
    "Check",
    "ConfigError",
    "Function",
    "Pipeline",
    "Place",
    "Test",
    "check",
    "load",
    "parse",
]

MAX_CHECKS = 50
MAX_FUNCTIONS = 200
CheckName = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}",
        'a name of at most 50 letters, digits, "-" and "_", which begins with a letter or digit',
    ),
]
# The rule for a function's name in Lambda's API, without ARNs.
FunctionName = Annotated[
    str,
    Matching(r"[a-zA-Z0-9_-]{1,64}", 'a function\'s name: at most 64 letters, digits, "-", "_"'),
]
Runtime = Annotated[str, Matching(r"[a-z0-9.]{1,64}", 'a Lambda runtime such as "python3.13"')]
Handler = Annotated[
    str, Matching(r"[^\s\x00-\x1f]{1,128}", 'a handler such as "app.handler", without spaces')
]
# https://docs.sonarsource.com: letters, digits, "-", "_", "." and ":", at least one not a digit.
SonarProject = Annotated[
    str, Matching(r"(?![0-9]+$)[A-Za-z0-9_.:-]{1,400}", "the key of a SonarQube project")
]


class Check(toml.Section):
    """One command in its own container; it passes when the command ends with 0."""

    run: Command = Field(description="shell command, run in the image of the tests")
    report: InsidePath | None = Field(
        None, description="folder of an HTML report, kept and served with the run"
    )
    junit: InsidePath | None = Field(None, description="JUnit XML file, read for failed tests")
    network: StrictBool | None = Field(None, description="network access; else that of [test]")
    timeout: Seconds | None = Field(None, description="how long it may take; else that of [test]")


def _short(value: object) -> object:
    if isinstance(value, str):
        return {"run": value}
    if not isinstance(value, Mapping | Check):
        why = f"expected a command or a table, got {toml.kind_of(value)}"
        raise ValueError(why)  # noqa: TRY004 - pydantic lets a TypeError through
    return value


class Test(toml.Section):
    """The test stage: an image and its checks, all at once."""

    dockerfile: InsidePath = Field("Dockerfile.test", description="builds the image of the tests")
    network: StrictBool = Field(default=False, description="whether checks reach the network")
    timeout: Seconds | None = Field(None, description="how long a check may take; else Slipway's")
    reuse: StrictBool | None = Field(
        None,
        description="whether a git tree that passed is not tested again; else if no check has a "
        "network",
    )
    checks: Annotated[
        FrozenMap[
            CheckName,
            Annotated[Check, BeforeValidator(_short, json_schema_input_type=Command | Check)],
        ],
        AfterValidator(at_most(MAX_CHECKS, "checks")),
    ] = Field(description='a command for each check, such as unit = "npm test"')


class Package(toml.Section):
    """What every function takes from the build path unless it says otherwise."""

    include: InsidePaths = Field((), description="paths or globs; empty: everything")
    exclude: InsidePaths = Field((), description="paths or globs to leave out")


def _jsonable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise ValueError(
            "expected what JSON can hold; write dates in quotes, and no inf or nan"
        ) from None
    return value


class Smoke(toml.Section):
    """How the verify stage tries a new version before the alias moves."""

    payload: Annotated[Any, AfterValidator(_jsonable)] = Field(
        default_factory=dict, description="the event that the function is invoked with"
    )
    expect: StrictInt = Field(200, ge=100, le=599, description="the statusCode it must answer")


class Function(toml.Section):
    """One Lambda function and the part of the build that it runs."""

    runtime: Runtime | None = Field(
        None, description="Lambda runtime, such as python3.13; compared with the function's"
    )
    handler: Handler | None = Field(
        None, description="entry point, such as app.handler; compared with the function's"
    )
    include: InsidePaths | None = Field(None, description="paths or globs; else those of [package]")
    exclude: InsidePaths | None = Field(
        None, description="paths or globs to leave out; else those of [package]"
    )
    source: InsidePath | None = Field(
        None,
        description="folder with its own manifest, lock file or Dockerfile, whose files are at the"
        " root of the zip",
    )
    dockerfile: InsidePath | None = Field(
        None,
        description="builds this function's image, a file of `source`; else that of [build]",
    )
    path: ImagePath | None = Field(
        None, description="where its files are in the image; else that of [build]"
    )
    artifact: InsidePath | None = Field(
        None,
        description="a zip or jar that the build made, below `path`, taken as it is",
    )
    smoke: Smoke | None = Field(None, description="invoke the new version before it is released")


class Site(toml.Section):
    """A static file tree."""

    bucket: Bucket = Field(description="S3 bucket; the operator must allow it")
    path: ImagePath = Field(description="where the files are in the image, such as /app/dist")
    immutable: InsidePaths = Field(
        (), description="paths or globs whose names change with their content, besides hashed names"
    )
    types: FrozenMap[TypedName, MediaType] = Field(
        {},
        validate_default=True,
        description="content types by extension (`.m4a`) or name (`about`), before our own",
    )
    keep: Seconds = Field(
        7 * 86400.0,
        description="how long files stay after a release without them",
        json_schema_extra={"default": "7d"},
    )
    distribution: Distribution | None = Field(
        None, description="CloudFront distribution to invalidate; the environment's goes before it"
    )


class Sonar(toml.Section):
    """The SonarQube quality gate of the analyze stage."""

    project: SonarProject = Field(description="the project's key in SonarQube")
    timeout: Seconds = Field(
        300.0, description="how long to wait for the gate", json_schema_extra={"default": "5m"}
    )


class Pipeline(toml.Document):
    """The whole file."""

    model_config = ConfigDict(
        title="slipway.toml",
        json_schema_extra={"anyOf": [{"required": ["functions"]}, {"required": ["site"]}]},
    )

    test: Test | None = Field(None, description="what to test; nothing if left out")
    build: Build = Field(default_factory=Build, description="how to build")
    package: Package = Field(default_factory=Package, description="default for the functions")
    functions: Annotated[
        FrozenMap[FunctionName, Function],
        AfterValidator(at_most(MAX_FUNCTIONS, "functions")),
    ] = Field({}, validate_default=True, description="a table for each function to release")
    site: Site | None = Field(None, description="a static site to release")
    sonar: Sonar | None = Field(None, description="SonarQube's gate; none if left out")

    @classmethod
    def across(cls, raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
        """Something to release; something to test where tests are asked for."""
        if raw.get("functions", {}) == {} and "site" not in raw:
            yield (), "nothing to release: add [functions.NAME] or [site]"
        test = raw.get("test")
        if isinstance(test, Mapping) and test.get("checks") == {}:
            yield ("test", "checks"), 'no check: add one, such as unit = "npm test"'
        build = raw.get("build")
        if isinstance(build, Mapping) and build.get("preset") and "dockerfile" in build:
            yield ("build", "preset"), "a preset takes the place of `dockerfile`: keep one of them"

    def place(self, function: str) -> Place:
        """Where a function is built, as the file says.

        Raises:
            KeyError: the file has no such function.
        """
        own, build = self.functions[function], self.build
        path = own.path or build.path
        if source := folder(own.source):
            asked = own.dockerfile and posixpath.join(source, own.dockerfile)
            return Place(source, asked, source, None, path)
        asked = build.dockerfile if "dockerfile" in build.model_fields_set else None
        return Place("", own.dockerfile or asked, folder(build.context), build.target, path)

    def selection(self, function: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a function's package includes (empty: everything) and excludes.

        Raises:
            KeyError: the file has no such function.
        """
        own = self.functions[function]
        include = self.package.include if own.include is None else own.include
        exclude = self.package.exclude if own.exclude is None else own.exclude
        return include, exclude


def parse(text: str, file: str = "slipway.toml") -> Pipeline:
    """A repository's file from its text.

    Raises:
        ConfigError: with every problem and its line.
    """
    return toml.parse(Pipeline, text, file)


def load(path: Path) -> Pipeline:
    """A repository's file from disk.

    Raises:
        ConfigError: it can't be read, or with every problem and its line.
    """
    return parse(toml.read(path), str(path))


def check(path: Path) -> list[str]:
    """The problems of a repository's file, a line each; none if it is valid."""
    try:
        load(path)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []
