"""Languages without a preset, known by their manifests so that an error can name them."""

import fnmatch
from typing import NamedTuple

from workers.docker.presets.files import Files


class Other(NamedTuple):
    """A language that needs a Dockerfile, and the glob of its manifest."""

    language: str
    manifest: str


OTHERS = (
    Other("Rust", "Cargo.toml"),
    Other("Java", "pom.xml"),
    Other("Java or Kotlin", "build.gradle"),
    Other("Java or Kotlin", "build.gradle.kts"),
    Other(".NET", "*.csproj"),
    Other(".NET", "*.fsproj"),
    Other(".NET", "*.sln"),
    Other("Ruby", "Gemfile"),
)


def seen(files: Files) -> str:
    """What a repository seems to be written in, in words; nothing where nothing shows it."""
    names = files.names()
    for other in OTHERS:
        found = [name for name in names if fnmatch.fnmatchcase(name, other.manifest)]
        if found:
            return f"{found[0]} is there, and {other.language} has no preset: write a Dockerfile"
    return ""
