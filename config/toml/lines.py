"""The line of every key in a TOML document, which `tomllib` does not tell."""

import bisect
import itertools
import re
import tomllib
from collections.abc import Mapping

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|[A-Za-z0-9_-]+')
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|[^,\]}\r\n#]+",
    re.DOTALL,
)


def key_lines(text: str) -> Mapping[Path, int]:
    """The line, from 1, on which each key, table and list element of a valid document begins.

    Args:
        text: a document that `tomllib` accepts; of any other, the answer means nothing.
    """
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.ends = [match.start() for match in re.finditer("\n", text)]
        self.lines: dict[Path, int] = {}
        self.elements: dict[Path, int] = {}

    def document(self) -> dict[Path, int]:
        table: Path = ()
        self._blank()
        while self.at < len(self.text):
            if self._next("["):
                table = self._header()
            else:
                self._pair(table)
            self._blank()
        return self.lines

    def _header(self) -> Path:
        repeated = self._next("[")
        start = self.at
        *parents, last = self._key()
        self.at += 2 if repeated else 1
        path: Path = ()
        for part in parents:
            path = self._mark((*path, part), start)
            if path in self.elements:
                path = self._mark((*path, self.elements[path]), start)
        path = self._mark((*path, last), start)
        if repeated:
            self.elements[path] = self.elements.get(path, -1) + 1
            path = self._mark((*path, self.elements[path]), start)
        return path

    def _pair(self, table: Path) -> None:
        start = self.at
        path = table
        for part in self._key():
            path = self._mark((*path, part), start)
        self.at += 1
        self._blank()
        self._value(path)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._blank()
            match = _KEY.match(self.text, self.at)
            if match is None:
                raise ValueError(f"no key at offset {self.at}")
            self.at = match.end()
            parts.append(_unquoted(match.group()))
            self._blank()
            if not self._next("."):
                return parts

    def _value(self, path: Path) -> None:
        if self._next("["):
            for index in itertools.count():
                self._blank()
                if self._next("]"):
                    return
                self._value(self._mark((*path, index), self.at))
                self._comma()
        elif self._next("{"):
            self._blank()
            while not self._next("}"):
                self._pair(path)
                self._comma()
        else:
            match = _SCALAR.match(self.text, self.at)
            if match is None:
                raise ValueError(f"no value at offset {self.at}")
            self.at = match.end()

    def _comma(self) -> None:
        self._blank()
        self._next(",")
        self._blank()

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _next(self, character: str) -> bool:
        found = self.text.startswith(character, self.at)
        self.at += found
        return found

    def _mark(self, path: Path, offset: int) -> Path:
        if path not in self.lines:
            self.lines[path] = bisect.bisect_left(self.ends, offset) + 1
        return path


def _unquoted(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    if key.startswith('"'):
        return str(tomllib.loads(f"key = {key}")["key"])
    return key
