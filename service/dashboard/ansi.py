"""Text of programs made safe to show: colours kept, every other control character disarmed."""

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

from config.terminal import CONTROL, ESCAPE, colour

_LAST_C1 = 0x9F
_STYLES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse"}
_ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("inverse",)}
_COLOUR, _BACKGROUND, _BRIGHT_COLOUR, _BRIGHT_BACKGROUND = 30, 40, 90, 100
_EXTENDED, _PALETTE, _RGB = 8, 5, 2
_CUBE, _GREYS = 16, 232


def clean(text: str | None) -> Markup:
    """Text without escapes, safe in HTML, its control characters shown by name."""
    return _visible(ESCAPE.sub("", text or ""))


def _visible(text: str) -> Markup:
    shown = CONTROL.sub(_named, str(escape(text)))
    return Markup(shown)  # noqa: S704 - escaped above; a name is made of letters, digits, "\" and "+"


def _named(found: re.Match[str]) -> str:
    return f'<span class="control">{"".join(map(_name, found[0]))}</span>'


def _name(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code <= _LAST_C1 else f"U+{code:04X}"


class Screen:
    """Turns lines into HTML; colours go on from one line to the next, as on a terminal."""

    def __init__(self) -> None:
        self._styles: set[str] = set()
        self._colours: dict[str, str] = {}

    def line(self, text: str) -> Markup:
        """One line, without its end."""
        parts: list[Markup] = []
        start = 0
        for found in ESCAPE.finditer(text):
            parts.append(self._painted(text[start : found.start()]))
            start = found.end()
            if colour(found):
                self._select(found["parameters"])
        parts.append(self._painted(text[start:]))
        return Markup("").join(parts)

    def _painted(self, text: str) -> Markup:
        classes = " ".join([*sorted(self._styles), *self._colours.values()])
        shown = _visible(text)
        if not (classes and text):
            return shown
        return Markup('<span class="') + classes + Markup('">') + shown + Markup("</span>")

    def _select(self, parameters: str) -> None:
        codes = iter([int(part[:4] or 0) for part in parameters.split(";")])
        for code in codes:
            self._apply(code, codes)

    def _apply(self, code: int, rest: Iterator[int]) -> None:
        if code == 0:
            self._styles.clear()
            self._colours.clear()
        elif code in _STYLES:
            self._styles.add(_STYLES[code])
        elif code in _ENDS:
            self._styles.difference_update(_ENDS[code])
        else:
            self._paint(code // 10 * 10, code % 10, rest)

    def _paint(self, base: int, number: int, rest: Iterator[int]) -> None:
        kind = "on" if base in (_BACKGROUND, _BRIGHT_BACKGROUND) else "ink"
        bright = base in (_BRIGHT_COLOUR, _BRIGHT_BACKGROUND)
        if base not in (_COLOUR, _BACKGROUND) and not bright:
            return
        if number < _EXTENDED:
            self._colours[kind] = f"{kind}-{number + 8 * bright}"
        elif not bright:
            self._colours.pop(kind, None)
            colour = _extended(rest) if number == _EXTENDED else None
            if colour is not None:
                self._colours[kind] = f"{kind}-{colour}"


def _extended(rest: Iterator[int]) -> int | None:
    """The nearest of 16 colours to `5;N` (the palette of 256) or `2;R;G;B`."""
    kind = next(rest, 0)
    if kind == _RGB:
        return _nearest(*(next(rest, 0) for _ in range(3)))
    if kind != _PALETTE:
        return None
    number = min(next(rest, -1), 255)
    if number < 0:
        return None
    if number < _CUBE:
        return number
    if number >= _GREYS:
        grey = (number - _GREYS) * 10 + 8
        return _nearest(grey, grey, grey)
    red, rest_of_cube = divmod(number - _CUBE, 36)
    green, blue = divmod(rest_of_cube, 6)
    return _nearest(red * 51, green * 51, blue * 51)


def _nearest(red: int, green: int, blue: int) -> int:
    strongest = max(red, green, blue)
    if strongest < 64:  # noqa: PLR2004 - a quarter of full strength: black
        return 0
    bits = [channel * 2 >= strongest for channel in (red, green, blue)]
    number = bits[0] + 2 * bits[1] + 4 * bits[2]
    return number + 8 * (strongest > 191)  # noqa: PLR2004 - three quarters: the bright ones
