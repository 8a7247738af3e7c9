"""Tests of turning output into lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.masker import Masker
from workers.docker.output import LONGEST_LINE, Lines

PUBLIC = Masker()


def said(*data: bytes, masker: Masker = PUBLIC) -> str:
    """What is given out for these pieces of output."""
    texts: list[str] = []
    lines = Lines(texts.append, masker)
    for one in data:
        lines.feed(one)
    lines.feed(b"", final=True)
    return "\n".join(texts)


def test_lines_come_whole():
    """A line that arrives in pieces, even within a character, is given out once and whole."""
    texts: list[str] = []
    lines = Lines(texts.append, PUBLIC)
    for one in (b"caf\xc3", b"\xa9 ol", b"\xc3\xa9\r\nnext"):
        lines.feed(one)
    assert texts == ["café olé"]
    lines.feed(b"", final=True)
    assert texts == ["café olé", "next"]


def test_what_is_not_utf8_is_replaced():
    """Bytes that are no text do not stop the log."""
    assert said(b"a\xff\xfeb\n") == "a��b"


def test_endless_lines_are_broken():
    """A line without an end is broken so that nothing grows."""
    lines = said(*[b"x" * 5000] * 10).split("\n")
    assert max(map(len, lines)) == LONGEST_LINE
    assert sum(map(len, lines)) == 50_000


@pytest.mark.parametrize("before", range(LONGEST_LINE - 8, LONGEST_LINE + 1))
@pytest.mark.parametrize("size", [100_000, LONGEST_LINE + 1, 3])
def test_a_secret_where_a_line_is_broken_is_masked(before: int, size: int):
    """Neither half of it is given out, wherever the break and the ends of pieces are."""
    text = b"x" * before + b"abcabc77" + b"y" * LONGEST_LINE + b"\n"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    out = said(*pieces, masker=Masker(["abcabc77", "abcabc"])).replace("\n", "")
    assert out == "x" * before + "***" + "y" * LONGEST_LINE


def test_a_line_of_nothing_but_a_secret_is_broken_too():
    """Memory stays bounded where no place is without a secret."""
    texts: list[str] = []
    lines = Lines(texts.append, Masker(["aaaaaa"]))
    for _ in range(10):
        lines.feed(b"a" * 5000)
    assert texts
    assert "a" not in "".join(texts)


@given(st.lists(st.binary(max_size=50)))
def test_nothing_is_lost(pieces: list[bytes]):
    """Whatever the pieces, the text is that of the whole."""
    text = b"".join(pieces).decode(errors="replace").replace("\r\n", "\n")
    assert said(*pieces).rstrip("\r\n") == text.rstrip("\r\n")
