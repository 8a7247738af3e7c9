"""Secrets in what terminals and encoders make of them: coloured, wrapped, escaped, overwritten."""

import re
from collections.abc import Callable, Iterable, Iterator

LEAST = 6
LONGEST = 200
FEW = 4
# Bounds of what may stand between and for the characters of one secret.
TAIL = 8 * LONGEST

_HINT = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u200b-\u200f\u2060\ufeff]|\\[xu0-7]|%[0-9A-Fa-f]|&#"
)
_IN_JSON = re.compile(r"\\\\?[urnbfx0-7]|%[0-9A-Fa-f]|&#")
# ECMA-48: control sequences and strings, then single controls; a line end with what indents.
_NOISE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_]"
    r"|\n[ \t]*|[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2060\ufeff]"
)
_CODE = re.compile(
    r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\u\{([0-9a-fA-F]{1,6})\}|%([0-9a-fA-F]{2})"
    r"|&#[xX]([0-9a-fA-F]{1,6});|\\([0-7]{3})|&#([0-9]{1,7});"
)
_OCTAL, _DECIMAL = 6, 7
# A sequence or an escape of which more may come.
MOST_PARTIAL = 256
_PARTIAL = re.compile(
    r"(?:\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*)?|\\(?:x[0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|[0-7]{1,2})?"
    r"|%[0-9a-fA-F]?|&(?:#[xX]?[0-9a-fA-F]{0,6})?)\Z"
)

Span = tuple[int, int]


def _char(found: re.Match[str]) -> str:
    index = found.lastindex or 1
    base = {_OCTAL: 8, _DECIMAL: 10}.get(index, 16)
    number = int(found[index], base)
    return chr(number) if number < 0x110000 else found[0]  # noqa: PLR2004 - Unicode's end


def _nothing(_: re.Match[str]) -> str:
    return ""


def bare(text: str) -> str:
    """The text without colours, controls and line ends, and with escapes as what they stand for."""
    # Most texts are plain lines: these checks cost a tenth of the expressions.
    indented = "\n " in text or "\n\t" in text
    flat = text if indented else text.replace("\n", "")
    if not flat.isprintable():
        flat = _NOISE.sub("", text)
    coded = "\\" in flat or "%" in flat or "&#" in flat
    return _CODE.sub(_char, flat) if coded else flat


class Disguises:
    """Finds forms of secrets where they are disguised; a text without a hint costs one look."""

    def __init__(self, forms: Iterable[str]) -> None:
        found = {bare(form) for form in forms}
        found |= {form.encode("utf-8", "surrogatepass").decode("latin-1") for form in found}
        self._forms = tuple(form for form in found if LEAST <= len(form) <= LONGEST)

        self._firsts = tuple({form[:FEW] for form in self._forms})

    def spans(self, text: str) -> Iterator[Span]:
        """Where disguised secrets stand."""
        if not self._forms or not _HINT.search(text):
            return
        shown = bare(text)
        present = [form for form in self._forms if form in shown]
        if present:
            yield from _placed(text, present)
        if "\r" in text or "\x08" in text:
            yield from self._overwritten(text)

    def _overwritten(self, text: str) -> Iterator[Span]:
        """The lines on which a terminal would show a secret in place of what came before."""
        start = 0
        for line in text.split("\n"):
            if "\x08" in line or "\r" in line.rstrip("\r"):
                seen = _seen(_NOISE.sub(_cursor, line))
                if any(form in seen and form not in line for form in self._forms):
                    yield start, start + len(line)
            start += len(line) + 1

    def begun(self, text: str) -> int:
        """Where a disguised secret begins that the end of the text may have cut, else its length.

        A few plain characters before a line end are not held back: every line would be.
        """
        start = max(0, len(text) - TAIL)
        tail = text[start:]
        partial = _PARTIAL.search(tail, max(0, len(tail) - MOST_PARTIAL))
        if not self._forms or not (partial or _HINT.search(tail)):
            return len(text)
        tail = tail[: partial.start()] if partial else tail
        at = self._cut(tail)
        return start + (len(tail) if at is None else at) if partial or at is not None else len(text)

    def _cut(self, tail: str) -> int | None:
        shown = bare(tail)
        end = shown[-LONGEST:]
        few = tail.endswith("\n") and len(shown) == len(tail) - 1
        if few and not any(first in end for first in self._firsts):
            return None
        found = len(shown)
        for form in self._forms:
            at = shown.find(form[0], max(0, len(shown) - len(form) + 1))
            while 0 <= at < found:
                if form.startswith(shown[at:]):
                    found = at
                at = shown.find(form[0], at + 1)
        if found == len(shown):
            return None
        places = _positions(tail)[1]
        first, last = places[found][0], places[-1][1]
        plain = last - first == len(shown) - found
        if plain and len(shown) - found < FEW and "\n" in tail[last:]:
            return None
        return first

    @staticmethod
    def possible(line: str) -> bool:
        """Whether a line of ASCII-only JSON may hold a disguise."""
        return bool(_IN_JSON.search(line))


def _cursor(found: re.Match[str]) -> str:
    return found[0] if found[0] in "\r\x08" else ""


def _seen(line: str) -> str:
    """What a terminal shows of a line, in the end."""
    cells: list[str] = []
    at = 0
    for part in re.split(r"([\r\x08])", line):
        if part in ("\r", "\x08"):
            at = 0 if part == "\r" else max(0, at - 1)
        else:
            cells[at : at + len(part)] = part
            at += len(part)
    return "".join(cells)


def _placed(text: str, forms: list[str]) -> Iterator[Span]:
    shown, places = _positions(text)
    for form in forms:
        at = shown.find(form)
        while at >= 0:
            yield places[at][0], places[at + len(form) - 1][1]
            at = shown.find(form, at + 1)


def _positions(text: str) -> tuple[str, list[Span]]:
    """The bare text, and where each of its characters stands in the text."""
    places = [(index, index + 1) for index in range(len(text))]
    text, places = _replaced(text, places, _NOISE, _nothing)
    return _replaced(text, places, _CODE, _char)


def _replaced(
    text: str, places: list[Span], pattern: re.Pattern[str], put: Callable[[re.Match[str]], str]
) -> tuple[str, list[Span]]:
    shown: list[str] = []
    kept: list[Span] = []
    last = 0
    for found in pattern.finditer(text):
        shown.append(text[last : found.start()])
        kept += places[last : found.start()]
        instead = put(found)
        shown.append(instead)
        whole = (places[found.start()][0], places[found.end() - 1][1])
        kept += [whole] * len(instead)
        last = found.end()
    shown.append(text[last:])
    return "".join(shown), kept + places[last:]
