"""What a Dockerfile has the engine fetch, and which powers it asks for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from workers.docker.dockerfile.instructions import WORD_SPACE, Instruction, instructions, split
from workers.docker.dockerfile.names import Arguments

_QUOTING = re.compile(r"""["'\\`]""")
_FLAG = re.compile(r"--(from|mount|network|security)(?:=(.*))?", re.DOTALL)
_CODE_POINT = re.compile(r"\\u[0-9a-fA-F]{4}")
_LISTED = re.compile(r"[\[\],]")
_LOGIN = re.compile(r"[^/@]*@[^/:]*:")
_STAGE = re.compile(r"[a-z][a-z0-9_.-]*")
_SCRATCH = "scratch"


class Fetch(NamedTuple):
    """Something from outside: in which line it is asked for, what for, and by which name.

    `name` of an image is None when it can't be told from the file alone.
    """

    line: int
    kind: str
    name: str | None
    written: str


@dataclass
class _Reader:
    arguments: Arguments
    stages: set[str] = field(default_factory=set)
    count: int = 0

    def read(self, one: Instruction) -> Iterator[Fetch]:
        """What one instruction fetches or asks for."""
        if "from" in one.commands:
            yield from self._from(one)
        elif "arg" in one.commands:
            self._arg(one)
        else:
            yield from self._step(one)

    def _arg(self, one: Instruction) -> None:
        if not self.count:
            self.arguments.take(one.text)

    def _from(self, one: Instruction) -> Iterator[Fetch]:
        words = [word for word in WORD_SPACE.split(one.text) if not word.startswith("--")]
        written = words[0] if words else ""
        name = self.arguments.filled(written)
        if name is None or not self._is_stage(name):
            yield Fetch(one.line, "image", name, written)
        named = len(words) == 3 and words[1].lower() == "as"  # noqa: PLR2004 - image AS name
        self.stages |= {words[2].lower()} if named else set()
        self.count += 1

    def _is_stage(self, name: str) -> bool:
        low = name.lower()
        return name == _SCRATCH or bool(_STAGE.fullmatch(low) and low in self.stages)

    def _step(self, one: Instruction) -> Iterator[Fetch]:
        commands, text = one.commands, one.text
        if "onbuild" in commands and one.sure:
            command, text = split(text)
            commands = frozenset({command})
        elif "onbuild" in commands:
            commands = frozenset({"add", "copy", "run"})
        words = [word for word in WORD_SPACE.split(text) if word]
        for name, value in _flags(words, sure=one.sure):
            yield from self._flag(one.line, name, value, commands)
        if "add" in commands:
            yield from (Fetch(one.line, "remote", word, word) for word in words if is_remote(word))

    def _flag(self, line: int, name: str, value: str, commands: frozenset[str]) -> Iterator[Fetch]:
        plain = _QUOTING.sub("", value)
        if name in ("network", "security") and "run" in commands:
            if plain.lower() not in ("default", "none", "sandbox"):
                yield Fetch(line, name, plain, value)
        elif name == "from" and commands & {"copy", "add"}:
            yield from self._source(line, plain, value)
        elif name == "mount" and "run" in commands:
            for part in plain.split(","):
                key, _, source = part.partition("=")
                if key.strip().lower() == "from":
                    yield from self._source(line, source, value)

    def _source(self, line: int, name: str, written: str) -> Iterator[Fetch]:
        number = name.isascii() and name.isdigit() and int(name[:9]) < self.count
        if not number and not self._is_stage(name):
            yield Fetch(line, "image", None if "$" in name else name, written)


def fetches(text: str, args: Mapping[str, str]) -> Iterator[Fetch]:
    """All that a Dockerfile's text has fetched, and powers that it asks for; `args` are given."""
    found = list(instructions(text))
    reader = _Reader(Arguments(args))
    first = next((at for at, one in enumerate(found) if "from" in one.commands), len(found))
    for one in found[:first]:
        yield from reader.read(one)
    for one in found[first:]:
        if "arg" in one.commands and not one.sure:
            reader.arguments.doubt(one.text)
    for one in found[first:]:
        yield from reader.read(one)


def is_remote(word: str) -> bool:
    """Whether a word of ADD may lead elsewhere: an address, a git repository, a variable.

    A variable is the rest of a path where a slash stands before it.
    """
    if _CODE_POINT.search(word):
        return True
    for plain in _LISTED.split(_QUOTING.sub("", word)):
        before, variable, _ = plain.partition("$")
        if variable and ("/" not in before or ":" in before):
            return True
        if "://" in plain or _LOGIN.match(plain):
            return True
    return False


def _flags(words: list[str], *, sure: bool) -> Iterator[tuple[str, str]]:
    """Each flag with its value; where quotes could move their end, all words are looked at."""
    end = 0
    while end < len(words) and (words[end].startswith("--") or _is_open(words[end - 1 : end])):
        end += 1
    if not sure or any(_QUOTING.search(word) for word in words[: end + 1]):
        end = len(words)
    for at, word in enumerate(words[:end]):
        flag = _FLAG.fullmatch(_QUOTING.sub("", word))
        if flag and flag[2] is None:
            yield flag[1], words[at + 1] if at + 1 < len(words) else ""
        elif flag:
            yield flag[1], word.partition("=")[2]


def _is_open(words: list[str]) -> bool:
    """Whether the last word is a flag whose value is the next one, as some versions take it."""
    return bool(words) and words[-1].startswith("--") and "=" not in words[-1]
