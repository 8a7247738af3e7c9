"""Output of programs, made safe to show."""

import time

import pytest

from config.terminal import plain
from service.dashboard.ansi import Screen, clean


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain <b> & 'x'", "plain &lt;b&gt; &amp; &#39;x&#39;"),
        ("\x1b[31mred\x1b[0m not", '<span class="ink-1">red</span> not'),
        (
            "\x1b[1;32mboth\x1b[22m green",
            '<span class="bold ink-2">both</span><span class="ink-2"> green</span>',
        ),
        ("\x1b[91;104mbright", '<span class="ink-9 on-12">bright</span>'),
        ("\x1b[31ma\x1b[39mb", '<span class="ink-1">a</span>b'),
        ("\x1b[mnothing", "nothing"),
        ("\x9b31mC1", '<span class="ink-1">C1</span>'),
        ("\x1b[38;5;9ma", '<span class="ink-9">a</span>'),
        ("\x1b[38;5;196ma", '<span class="ink-9">a</span>'),
        ("\x1b[38;5;16ma", '<span class="ink-0">a</span>'),
        ("\x1b[48;2;0;128;0ma", '<span class="on-2">a</span>'),
        ("\x1b[38;5ma", "a"),
        ("\x1b[38;9;1ma", '<span class="bold">a</span>'),
        ("\x1b[38;2;999;0;0;1ma", '<span class="bold ink-9">a</span>'),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07shown", "shown"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\shown", "shown"),
        ("\x1b]unended", "unended"),
        ("\x1b", ""),
        ("\x1b[", ""),
        ("a\tb", "a\tb"),
        ("a\x00\x07", 'a<span class="control">\\x00\\x07</span>'),
        ("\x85", '<span class="control">\\x85</span>'),
        (
            "\u202ex\u2066",
            '<span class="control">U+202E</span>x<span class="control">U+2066</span>',
        ),
        ("\x1b[31m<i>", '<span class="ink-1">&lt;i&gt;</span>'),
        ("é ü 漢 👩\u200d💻", "é ü 漢 👩\u200d💻"),
    ],
)
def test_a_line_keeps_its_colours_and_nothing_else(text: str, html: str) -> None:
    """Colours become classes, all other escapes go, controls are shown by name."""
    assert str(Screen().line(text)) == html


def test_colours_go_on_over_lines() -> None:
    """As on a terminal, until they are ended."""
    screen = Screen()
    assert str(screen.line("\x1b[33mone")) == '<span class="ink-3">one</span>'
    assert str(screen.line("two\x1b[0m!")) == '<span class="ink-3">two</span>!'
    assert str(screen.line("three")) == "three"


def test_words_for_people_have_no_colours() -> None:
    """An error keeps its line ends, and no escape."""
    assert str(clean("a\n\x1b[31mb\x1b[0m<")) == "a\nb&lt;"
    assert str(clean(None)) == ""


def test_a_terminal_gets_colours_only() -> None:
    """The command line can't be made to move the cursor or set a title."""
    assert (
        plain("\x1b[31mred\x1b[0m\x1b[2J\x1b]0;t\x07\x07\t\u202eok\n") == "\x1b[31mred\x1b[0m\tok\n"
    )


@pytest.mark.parametrize(
    "part", ["\x1b]", "\x1b[", "\x90", "\x1b[0", "\x1b]x\x9d", "\x1bP\x1b", "\u202e", "\x1b[31m"]
)
def test_hostile_text_takes_no_longer(part: str) -> None:
    """The time grows with the length, not with its square."""
    start = time.process_time()
    Screen().line(part * 100_000)
    clean(part * 100_000)
    assert time.process_time() - start < 5


def test_one_endless_escape_takes_no_longer() -> None:
    """Parameters and strings without an end are read once."""
    start = time.process_time()
    for text in ("\x1b[" + "0;" * 500_000, "\x1b]" + "x" * 1_000_000, "\x1b[" + " " * 1_000_000):
        Screen().line(text)
    assert time.process_time() - start < 5
