"""Tests of turning output into lines."""

from hypothesis import given
from hypothesis import strategies as st

from workers.docker.output import LONGEST_LINE, Lines


def said(*data: bytes) -> str:
    """What is given out for these pieces of output."""
    texts: list[str] = []
    lines = Lines(texts.append)
    for one in data:
        lines.feed(one)
    lines.feed(b"", final=True)
    return "\n".join(texts)


def test_lines_come_whole():
    """A line that arrives in pieces, even within a character, is given out once and whole."""
    texts: list[str] = []
    lines = Lines(texts.append)
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


@given(st.lists(st.binary(max_size=50)))
def test_nothing_is_lost(pieces: list[bytes]):
    """Whatever the pieces, the text is that of the whole."""
    text = b"".join(pieces).decode(errors="replace").replace("\r\n", "\n")
    assert said(*pieces).rstrip("\r\n") == text.rstrip("\r\n")
