"""The images that a Dockerfile asks to be read by, in the place of the engine's own parser."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from config import limits
from config.masker import cut
from workers.docker import source_file
from workers.docker.dockerfile.instructions import SPACE
from workers.ledger.model.errors import UserError

ARGUMENT = "BUILDKIT_SYNTAX"
"""BuildKit's argument that does what a syntax line does."""

_SYNTAX = re.compile(rb"[ \t\r\f\v]*+(?:#|//)[ \t\r\f\v]*+syntax\s*+=\s*+(\S*)", re.IGNORECASE)
_COMMENT = re.compile(rb"\s*+(?:#|//|$)")
_OFFICIAL = re.compile(r"(docker\.io/)?docker/dockerfile(:[\w.-]+)?(@sha256:[0-9a-f]{64})?")
_BOM = b"\xef\xbb\xbf"


def asked(context: Path, dockerfile: str | Path, args: Mapping[str, str]) -> list[str]:
    """The images that it asks for, all of them Docker's.

    BuildKit looks for the directive after `#` or `//` at the top, and in JSON (buildkit
    frontend/dockerfile/parser/directives.go); here any comment before the first instruction
    counts, to be sure, and none behind it, where no version looks.

    Raises:
        UserError: it asks for somebody's own.
    """
    text = _text(context, dockerfile)
    # Line by line: an expression that looks for the next line over blank ones is quadratic.
    lines = map(_SYNTAX.match, _top(text))
    found = [line[1].decode(errors="replace") for line in lines if line]
    found += [value for name, value in args.items() if name.upper() == ARGUMENT]
    if text.lstrip().startswith(b"{"):
        found.append("JSON")
    for name in found:
        if not _OFFICIAL.fullmatch(name):
            raise UserError(
                f"{dockerfile} asks for the frontend {cut(name, 100)!r}; only docker/dockerfile is"
                " allowed: remove the syntax line"
            )
    return found


def without(
    context: Path, dockerfile: str | Path, folder: Path, args: Mapping[str, str]
) -> tuple[Path, dict[str, str]]:
    """A copy of the Dockerfile in a new folder, with its ignore file, and arguments: none asks.

    Below the comments at its top a syntax line is no directive, and may be a file's text.
    """
    folder.mkdir()
    file = context / dockerfile
    lines, top = [], True
    for line in _text(context, dockerfile).splitlines(keepends=True):
        top = top and bool(_COMMENT.match(line))
        lines.append(b"#\n" if top and _SYNTAX.match(line) else line)
    copy = folder / file.name
    copy.write_bytes(b"".join(lines))
    if isinstance(dockerfile, str) and (context / f"{dockerfile}.dockerignore").is_file():
        ignored = source_file.read(context, f"{dockerfile}.dockerignore", limits.DOCKERFILE)
        copy.with_name(f"{file.name}.dockerignore").write_bytes(ignored)
    return copy, {name: value for name, value in args.items() if name.upper() != ARGUMENT}


def _top(text: bytes) -> Iterator[bytes]:
    """The lines before the first instruction, as those see them who end lines otherwise, too."""
    for line in filter(None, text.split(b"\n")):
        if not line.startswith((b"#", b"//")):
            plain = line.decode(errors="surrogateescape").lstrip(SPACE)
            if plain and not plain.startswith(("#", "//")):
                return
        yield line
        if b"\r" in line:
            yield from line.splitlines()


def _text(context: Path, dockerfile: str | Path) -> bytes:
    raw = (
        source_file.read(context, dockerfile, limits.DOCKERFILE)
        if isinstance(dockerfile, str)
        else dockerfile.read_bytes()
    )
    return raw.removeprefix(_BOM)
