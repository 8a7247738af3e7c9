"""Secrets in what terminals and encoders make of them: coloured, wrapped, escaped, overwritten."""

import re
from collections.abc import Iterable, Iterator

from config.masker.bare import Places, bare, overwriting, whole
from config.masker.beginnings import Beginnings

LEAST = 6
LONGEST = 200
FEW = 4
# Bounds of what may stand between and for the characters of one secret.
TAIL = 8 * LONGEST

_IN_JSON = re.compile(r"\\\\?[urnbfx0-7]|%[0-9A-Fa-f]|&#")

Span = tuple[int, int]


class Disguises:
    """Finds forms of secrets where they are disguised."""

    def __init__(self, forms: Iterable[str]) -> None:
        found = {bare(form) for form in forms}
        found |= {form.encode("utf-8", "surrogatepass").decode("latin-1") for form in found}
        self.forms = tuple(form for form in found if LEAST <= len(form) <= LONGEST)
        self._beginnings = Beginnings(self.forms)

    def spans(self, text: str, shown: str) -> Iterator[Span]:
        """Where disguised secrets stand in a text of which `shown` is the bare one."""
        present = [form for form in self.forms if form in shown]
        if not present:
            return
        places = Places(text)
        for form in present:
            at = places.shown.find(form)
            while at >= 0:
                yield places.starts[at], places.ends[at + len(form) - 1]
                at = places.shown.find(form, at + 1)

    def overwritten(self, text: str) -> Iterator[Span]:
        """The lines on which a terminal would show a secret in place of what came before."""
        if "\r" not in text and "\x08" not in text:
            return
        start = 0
        for line in text.split("\n"):
            if "\x08" in line or "\r" in line.rstrip("\r"):
                seen = _seen(overwriting(line))
                if any(form in seen and form not in line for form in self.forms):
                    yield start, start + len(line)
            start += len(line) + 1

    def begun(self, text: str) -> int:
        """Where a disguised secret begins that the end of the text may have cut, else its length.

        A few plain characters before a line end are not held back: every line would be.
        """
        start = max(0, len(text) - TAIL)
        tail = whole(text[start:])
        shown = bare(tail)
        at = self._beginnings.begun(shown)
        if at == len(shown):
            return start + len(tail)
        held = len(shown) - at
        if held < FEW and tail.endswith(f"{shown[at:]}\n"):
            return start + len(tail)
        if len(shown) == len(tail) - tail.endswith("\n"):
            # One plain line: each character stands where it is shown.
            return start + at
        places = Places(tail)
        first, last = places.starts[at], places.ends[-1]
        if last - first == held < FEW and "\n" in tail[last:]:
            return start + len(tail)
        return start + first

    @staticmethod
    def possible(line: str) -> bool:
        """Whether a line of ASCII-only JSON may hold a disguise."""
        coded = "\\" in line or "%" in line or "&#" in line
        return coded and bool(_IN_JSON.search(line))


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
