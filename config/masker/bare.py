"""Text without what terminals and encoders add to it: colours, controls, line ends, escapes."""

import functools
import re
from collections.abc import Callable

# ECMA-48: control sequences and strings.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_LINE_END = re.compile(r"\n[ \t]*")
_CONTROLS = "".join(chr(code) for code in [*range(9), *range(11, 32), 127])
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2060\ufeff]")
# By first characters, since a search for a fixed one costs a tenth of one for several.
_CODES = {
    "%": r"%[0-9a-fA-F]{2}",
    "&#": r"&#(?:[xX][0-9a-fA-F]{1,6}|[0-9]{1,7});",
    "\\": r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]{1,6}\}|[0-7]{3})",
}
_CODE = re.compile(f"({'|'.join(_CODES.values())})")
_ONE = {first: re.compile(f"({code})") for first, code in _CODES.items()}
# Characters of a text up to which its controls are sought one character at a time.
_FEW = 256
_HEX = 16
_UNICODE_END = 0x110000
# A sequence or an escape of which more may come.
_MOST_PARTIAL = 256
_PARTIAL = re.compile(
    r"(?:\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*)?|\\(?:x[0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|[0-7]{1,2})?"
    r"|%[0-9a-fA-F]?|&(?:#[xX]?[0-9a-fA-F]{0,6})?)\Z"
)


def bare(text: str) -> str:
    """The text without colours, controls and line ends, and with escapes as what they stand for."""
    return _decoded(_flat(text))


def adds(text: str) -> bool:
    """Whether what is taken for a sequence or an escape may be a part of what stands there."""
    return "\x1b" in text or "\\" in text or "%" in text or "&#" in text


def whole(text: str) -> str:
    """The text without a sequence or an escape at its end of which more may come."""
    end = text[-_MOST_PARTIAL:]
    if not ("\x1b" in end or "\\" in end or "%" in end or "&" in end):
        return text
    partial = _PARTIAL.search(text, max(0, len(text) - _MOST_PARTIAL))
    return text[: partial.start()] if partial else text


def overwriting(line: str) -> str:
    """A line without what a terminal doesn't show, but with what moves its cursor back."""
    return _CONTROL.sub(_cursor, _SEQUENCE.sub("", line))


def _cursor(found: re.Match[str]) -> str:
    return found[0] if found[0] in "\r\x08" else ""


def _flat(text: str) -> str:
    # Most texts are plain lines: each look costs a tenth of the expression that it spares.
    if "\x1b" in text:
        text = _SEQUENCE.sub("", text)
    if "\n" in text:
        indented = "\n " in text or "\n\t" in text
        text = _LINE_END.sub("", text) if indented else text.replace("\n", "")
    few = len(text) < _FEW
    if (few or not text.isascii()) and text.isprintable():
        return text
    if not text.isascii():
        return _CONTROL.sub("", text)
    for control in _CONTROLS:
        if control in text:
            text = text.replace(control, "")
    return text


def _decoded(text: str) -> str:
    firsts = [first for first in _CODES if first in text]
    if not firsts:
        return text
    parts = (_ONE[firsts[0]] if len(firsts) == 1 else _CODE).split(text)
    parts[1::2] = map(_char, parts[1::2])
    return "".join(parts) if len(parts) > 1 else text


@functools.lru_cache(maxsize=4096)
def _char(code: str) -> str:
    digits = code.strip("\\xXuU{}%&#;")
    decimal = code[0] == "&" and code[2] not in "xX"
    octal = code[0] == "\\" and code[1].isdigit()
    number = int(digits, 10 if decimal else 8 if octal else _HEX)
    return chr(number) if number < _UNICODE_END else code


class Places:
    """The bare text, and where each of its characters begins and ends in the text itself."""

    def __init__(self, text: str) -> None:
        self.shown = text
        self.starts = list(range(len(text)))
        self.ends = list(range(1, len(text) + 1))
        for pattern in (_SEQUENCE, _LINE_END, _CONTROL):
            self._replace(pattern, _nothing)
        self._replace(_CODE, _stands_for)

    def _replace(self, pattern: re.Pattern[str], put: Callable[[re.Match[str]], str]) -> None:
        shown: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        last = 0
        for found in pattern.finditer(self.shown):
            first, end = found.span()
            instead = put(found)
            shown += [self.shown[last:first], instead]
            starts += self.starts[last:first] + [self.starts[first]] * len(instead)
            ends += self.ends[last:first] + [self.ends[end - 1]] * len(instead)
            last = end
        if last:
            self.shown = "".join([*shown, self.shown[last:]])
            self.starts = starts + self.starts[last:]
            self.ends = ends + self.ends[last:]


def _nothing(_: re.Match[str]) -> str:
    return ""


def _stands_for(found: re.Match[str]) -> str:
    return _char(found[0])
