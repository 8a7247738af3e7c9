"""A log, put into lines and groups."""

from service.dashboard.console import LONGEST_LINE, MOST_CHARACTERS, show


def lines(shown) -> list[tuple[int, str, str]]:
    """Number, source and HTML of each line."""
    return [(line.number, g.source, str(line.html)) for g in shown.groups for line in g.lines]


def test_lines_are_grouped_by_source() -> None:
    """Entries of one source in a row make one group."""
    shown = show([("1-0", "a", "x\ny\n"), ("2-0", "a", "z\n"), ("3-0", "b", "w\n")])
    assert [(g.source, g.at, len(g.lines)) for g in shown.groups] == [("a", 1, 3), ("b", 3, 1)]
    assert lines(shown) == [(1, "a", "x"), (2, "a", "y"), (3, "a", "z"), (4, "b", "w")]
    assert (shown.cursor, shown.next_line, shown.before) == ("3-0", 5, 0)


def test_a_line_cut_in_two_is_one_line() -> None:
    """Long texts come in pieces that end anywhere; the anchor is that of the beginning."""
    shown = show(
        [("1-0", "a", "one tw"), ("2-0", "a", "o\nthr"), ("3-0", "a", "ee"), ("4-0", "b", "x")]
    )
    assert lines(shown) == [(1, "a", "one two"), (2, "a", "three"), (3, "b", "x")]
    assert [line.anchor for g in shown.groups for line in g.lines] == ["L1-0-0", "L2-0-1", "L4-0-0"]


def test_line_ends_of_every_kind_end_lines() -> None:
    """A carriage return can't hide what stood before it."""
    shown = show([("1-0", "a", "1%\r2%\r\r\n\nend\r\n")])
    assert [text for *_, text in lines(shown)] == ["1%", "2%", "", "end"]


def test_an_empty_log_has_a_position() -> None:
    """Whoever asks again goes on from the beginning, or from where it was."""
    assert (show([]).cursor, show([]).next_line) == ("-", 1)
    assert (show([], "7-0", 9).cursor, show([], "7-0", 9).next_line) == ("7-0", 9)


def test_a_monstrous_line_is_cut_visibly() -> None:
    """It says how much is missing."""
    ((_, _, text),) = lines(show([("1-0", "a", "x" * (LONGEST_LINE + 1234) + "\n")]))
    assert text.startswith("x" * LONGEST_LINE + "<span")
    assert "1,234 more characters" in text


def test_a_page_stays_of_a_size() -> None:
    """Long lines count for more than one."""
    entries = [(f"{n}-0", "a", "y" * LONGEST_LINE + "\n") for n in range(1, 301)]
    shown = show(entries)
    assert shown.next_line == 301
    assert sum(len(line.html) for g in shown.groups for line in g.lines) <= MOST_CHARACTERS
    assert lines(shown)[-1][0] == 300
