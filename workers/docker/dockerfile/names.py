"""Names of images: as FROM writes them with ARGs filled in, and as Docker means them."""

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from workers.docker.dockerfile.instructions import WORD_SPACE

_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::([-+])([^${}]*))?\})")
_ASSIGNED = re.compile(r"""([A-Za-z_]\w*)=(?:"([^"'\\`]*)"|'([^"'\\`]*)'|([^"'\\`]*))""")
# A registry, and the path there (distribution/reference, regexp.go).
_PATH = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?(?:/{_PATH})+)(?::(\w[\w.-]{{0,127}}))?(?:@(sha256:[0-9a-f]{{64}}))?",
    re.ASCII,
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_UNPLAIN = re.compile(r"""["'\\`{}$]""")
_HUB = "docker.io"
_LONGEST = 1000
_LONGEST_NAME = 500


class Image(NamedTuple):
    """An image in full: `docker.io/library/python`, its tag, and its digest if it is named."""

    repository: str
    tag: str
    digest: str

    @property
    def names(self) -> Iterator[str]:
        """What it goes by; a digest decides alone."""
        if self.digest:
            yield f"{self.repository}@{self.digest}"
        else:
            yield f"{self.repository}:{self.tag}"

    def matches(self, patterns: Iterable[str]) -> bool:
        """Whether a pattern covers it; one without a registry's name means Docker Hub's."""
        full = [_full(pattern) for pattern in patterns]
        names = (*self.names, self.repository)
        return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in full)


def image(name: str) -> Image | None:
    """What a name means; None for one that no image can have."""
    match = _REFERENCE.fullmatch(_full(name)) if len(name) <= _LONGEST_NAME else None
    return Image(match[1], match[2] or "latest", match[3] or "") if match else None


def _full(name: str) -> str:
    """The name with its registry, by Docker's rule (distribution/reference, normalize.go)."""
    first, slash, rest = name.partition("/")
    if not slash or not (
        re.search(r"[.:]", first) or first == "localhost" or first != first.lower()
    ):
        first, rest = _HUB, name
    if first in (_HUB, "index.docker.io"):
        return f"{_HUB}/{rest}" if "/" in rest else f"{_HUB}/library/{rest}"
    return f"{first}/{rest}"


class Arguments:
    """The ARGs before the first FROM; a value that nobody can be sure of is None."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self._values: dict[str, str | None] = {}

    def take(self, text: str) -> None:
        """Read what stands behind an ARG."""
        for name, value in self._assigned(text):
            self._values[name] = value

    def doubt(self, text: str) -> None:
        """Read an ARG that may be one of those, or none of BuildKit's at all."""
        for name, value in self._assigned(text):
            if name in self._values and self._values[name] != value:
                self._values[name] = None

    def filled(self, text: str) -> str | None:
        """A text with its variables' values; None where one can't be told, or that is too long."""
        parts: list[str] = []
        end = size = 0
        for match in _VARIABLE.finditer(text):
            value = self._value(match)
            size += len(value or "")
            if value is None or size > _LONGEST:
                return None
            parts += (text[end : match.start()], value)
            end = match.end()
        whole = "".join((*parts, text[end:]))
        return whole if len(whole) <= _LONGEST and not _UNPLAIN.search(whole) else None

    def _assigned(self, text: str) -> Iterator[tuple[str, str | None]]:
        words = WORD_SPACE.split(text)
        assigned = [_ASSIGNED.fullmatch(word) for word in words]
        pairs = list(zip(words, assigned, strict=True))
        if not all(match or word.isidentifier() for word, match in pairs):
            # Quotes may join words: all that is named here may be anything.
            yield from ((name, None) for name in _NAME.findall(text))
            return
        for word, match in pairs:
            name = match[1] if match else word
            if name in self._given:
                yield name, self._given[name]
            elif match:
                yield name, self.filled(next(filter(None, match.groups()[1:]), ""))
            elif name not in self._values:
                yield name, ""

    def _value(self, match: re.Match[str]) -> str | None:
        name = match[1] or match[2]
        # Of these BuildKit has values of its own, unless the file gives some.
        known = name in self._values or not name.startswith(("TARGET", "BUILD"))
        value = self._values.get(name, "") if known else None
        if value is None or match[3] is None:
            return value
        return (value or match[4]) if match[3] == "-" else (match[4] if value else "")
