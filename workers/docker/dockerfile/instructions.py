"""The instructions of a Dockerfile, as any of BuildKit's versions may read them.

They differ in heredocs, in escapes at a line's end and in carriage returns. A file in which that
makes a difference is read unsurely: every line counts as one at which an instruction may begin,
so that nothing is missed that an instruction of any version does.
Source: buildkit frontend/dockerfile/parser/parser.go, of 0.8 to 0.20.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

# What Go's unicode.IsSpace takes for white space; Python's own takes more.
_LONE = (*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
SPACE = "".join(map(chr, (*_LONE, *range(0x2000, 0x200B))))
# How BuildKit splits an instruction from its arguments, and arguments from each other.
WORD_SPACE = re.compile(r"[\t\v\f\r ]+")
COMMANDS = frozenset({"add", "arg", "copy", "from", "onbuild", "run"})
_BY_LINE = frozenset({"arg", "from"})
_ESCAPE = re.compile(r"#\s*escape\s*=", re.IGNORECASE)


class Instruction(NamedTuple):
    """What may begin at a line (from 1): all commands that it may be, and its text.

    The text is that behind the command, where it is `sure` which one it is.
    """

    line: int
    commands: frozenset[str]
    text: str
    sure: bool


class _Line(NamedTuple):
    number: int
    text: str
    goes_on: bool


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile's text that may fetch something, and ARG, in order."""
    lines = text.replace("\r\n", "\n").split("\n")
    if not is_sure(text, lines):
        yield from _unsurely(lines)
        return
    for chain in _chains(lines, ("\\",)):
        command, rest = split("".join(line.text for line in chain))
        if command in COMMANDS:
            yield Instruction(chain[0].number, frozenset({command}), rest, sure=True)


def is_sure(text: str, lines: list[str]) -> bool:
    """Whether all versions see the same instructions in a text of these lines."""
    return not (
        "<<" in text
        or any("\r" in line or line.rstrip(" \t").endswith("\\\\") for line in lines)
        or any(_ESCAPE.match(line.lstrip(SPACE)) for line in lines)
    )


def _unsurely(lines: list[str]) -> Iterator[Instruction]:
    """Each chain of lines once, with all that may begin in it; FROM and ARG by their lines."""
    for chain in _chains(lines, ("\\", "`")):
        begins = [split(line.text) for line in chain]
        for line, (command, rest) in zip(chain, begins, strict=True):
            if command in _BY_LINE:
                # What is continued has its escape still: nobody takes it for a plain word.
                text = f"{rest}\\" if line.goes_on else rest
                yield Instruction(line.number, frozenset({command}), text, sure=False)
        others = [command for command, _ in begins if command in COMMANDS - _BY_LINE]
        whole = "".join(line.text for line in chain)
        if others == [begins[0][0]]:
            yield Instruction(chain[0].number, frozenset(others), split(whole)[1], sure=True)
        elif others:
            yield Instruction(chain[0].number, frozenset(others), whole, sure=False)


def _chains(lines: list[str], escapes: tuple[str, ...]) -> Iterator[list[_Line]]:
    """Lines that belong together because all but the last end with an escape, which is cut off.

    Comments and empty lines between them count for nothing, as they do for BuildKit.
    """
    chain: list[_Line] = []
    for number, raw in enumerate(lines, start=1):
        bare = raw.lstrip(SPACE)
        if not bare or bare.startswith("#"):
            continue
        kept = (raw if chain else bare).rstrip(" \t\r")
        goes_on = kept.endswith(escapes)
        chain.append(_Line(number, kept[:-1] if goes_on else raw if chain else bare, goes_on))
        if not goes_on:
            yield chain
            chain = []
    if chain:
        yield chain


def split(line: str) -> tuple[str, str]:
    """A line's first word in lower case, and the rest."""
    words = WORD_SPACE.split(line.strip(SPACE), maxsplit=1)
    return words[0].lower(), words[1].strip(SPACE) if len(words) > 1 else ""
