"""A run's log as the page shows it: lines in groups, each group said by one source."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from markupsafe import Markup

from service.dashboard.ansi import Screen, clean

MOST_LINES = 1000
MOST_CHARACTERS = 400_000
LONGEST_LINE = 4000
_END = re.compile(r"\r*\n|\r+")
_NAMED = re.compile(r"\[([^\]]{1,200})\] (.*)")

Entry = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number in the log, its anchor, its HTML."""

    number: int
    anchor: str
    html: Markup


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that one source said in a row, and when it began (ms since 1970), if that is known."""

    source: str
    at: int | None
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shown:
    """Part of a log: its groups, how many lines came before, and where to go on."""

    groups: list[Group]
    before: int
    cursor: str
    next_line: int


@dataclass(slots=True)
class _Raw:
    entry: str
    index: int
    source: str
    text: str
    open: bool


def show(entries: Iterable[Entry], after: str = "-", first_line: int = 1) -> Shown:
    """The end of what these entries say: the last lines, as many as a page can bear."""
    raw: list[_Raw] = []
    for entry in entries:
        _add(raw, entry)
        after = entry[0]
    kept = _tail(raw)
    before = len(raw) - len(kept)
    return Shown(_groups(kept, first_line + before), before, after, next_line=first_line + len(raw))


def _add(raw: list[_Raw], entry: Entry) -> None:
    name, source, text = entry
    parts = _END.split(text)
    ended = parts[-1] == ""
    if ended:
        parts.pop()
    # A long text comes in several entries, cut anywhere.
    rest = bool(raw and parts and raw[-1].open and raw[-1].source == source)
    if rest:
        raw[-1].text += parts.pop(0)
        raw[-1].open = not (ended or parts)
    first = len(raw)
    raw.extend(
        _Raw(name, index, source, part, open=False) for index, part in enumerate(parts, rest)
    )
    if len(raw) > first:
        raw[-1].open = not ended


def _tail(raw: list[_Raw]) -> list[_Raw]:
    room = MOST_CHARACTERS
    start = len(raw)
    while start and len(raw) - start < MOST_LINES and room > 0:
        start -= 1
        room -= min(len(raw[start].text), LONGEST_LINE)
    return raw[start:]


def _groups(raw: list[_Raw], number: int) -> list[Group]:
    groups: list[Group] = []
    screens: dict[str, Screen] = {}
    for count, line in enumerate(raw):
        source, text, at = _said(line)
        if not groups or groups[-1].source != source:
            groups.append(Group(source, at))
        screen = screens.setdefault(source, Screen())
        anchor = f"L{line.entry}-{line.index}"
        groups[-1].lines.append(Line(number + count, anchor, _html(screen, text)))
    return groups


def _said(line: _Raw) -> tuple[str, str, int | None]:
    """Source, text and time; a log brought back from S3 names the source in each line."""
    if line.source:
        return line.source, line.text, int(line.entry.partition("-")[0])
    found = _NAMED.fullmatch(line.text)
    return (found[1], found[2], None) if found else ("", line.text, None)


def _html(screen: Screen, text: str) -> Markup:
    shown = screen.line(text[:LONGEST_LINE])
    left = len(text) - LONGEST_LINE
    if left <= 0:
        return shown
    return shown + Markup('<span class="cut">{}</span>').format(
        clean(f" … {left:,} more characters in the whole log")
    )
