"""No secret leaves in any form in which tools print it, whole or in pieces."""

import base64
import json
import urllib.parse

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.masker import Masker, cut

SECRET = "s3cr3t/+pass word=é"
PEM = "-----BEGIN KEY-----\nMIIEabcdefgh\nQQQQzzzz1234\n-----END KEY-----\n"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET),
        repr(SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        urllib.parse.quote(SECRET, safe="").lower(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_each_form_of_a_secret_is_masked(written):
    """Raw, quoted, hexadecimal, URL-encoded and base64 forms become three stars."""
    said = Masker([SECRET]).mask(f"before {written} after")
    assert said.replace('"', "").replace("'", "") == "before *** after"


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "x-access-token"])
def test_a_secret_inside_base64_is_masked(user):
    """Wherever the secret begins in an encoded header, its bytes can't be decoded."""
    header = base64.b64encode(f"{user}:{SECRET}:tail".encode()).decode()
    before, after = Masker([SECRET]).mask(header).split("***")
    shown = base64.b64decode(before[: len(before) // 4 * 4]).decode()
    assert f"{user}:{SECRET}".startswith(shown)
    assert len(shown) <= len(user) + 2
    assert len(after) <= len(base64.b64encode(b":tail")) + 1


def test_overlapping_secrets_leave_nothing():
    """Where one secret begins inside another, both are covered by one mask."""
    masker = Masker(["abcdefgh", "efghijkl"])
    assert masker.mask("x abcdefghijkl y") == "x *** y"


def test_short_values_are_left_alone():
    """What has fewer than six characters would hide ordinary words."""
    assert Masker(["", "abc", "12345", "  a  "]).mask("abc 12345 a") == "abc 12345 a"


def test_each_line_of_a_key_is_masked_but_not_its_frame():
    """A key that a tool prints with other line ends, or one line of it, is found."""
    said = Masker([PEM]).mask("-----BEGIN KEY-----\r\nMIIEabcdefgh\r\nQQQQzzzz1234\r\n")
    assert said == "-----BEGIN KEY-----\r\n***\r\n***\r\n"
    assert Masker([PEM]).mask(f"key: {PEM}") == "key: ***"
    assert Masker([PEM]).mask(json.dumps({"key": PEM})) == '{"key": "***"}'


def test_a_line_end_after_a_secret_is_no_part_of_it():
    """A secret out of a file that ends with a line break is found without it."""
    assert Masker(["hunter22\n"]).mask("is hunter22 here") == "is *** here"


def test_a_masker_does_not_tell_its_secrets():
    """Its repr, which may reach a log, holds none."""
    assert SECRET not in repr(Masker([SECRET]))
    assert SECRET not in repr(vars(Masker([SECRET]).stream()))


def test_a_stream_finds_a_secret_cut_in_two():
    """The first half waits for the second."""
    stream = Masker(["hunter22"]).stream()
    assert stream.feed("password: hunt") == "password: "
    assert stream.feed("er22!\nnext") == "***!\nnext"
    assert stream.flush() == ""


def test_a_stream_holds_back_only_what_may_be_a_secret():
    """Ordinary text, and what turned out to be none, is shown at once."""
    stream = Masker(["hunter22"]).stream()
    assert stream.feed("line one\n") == "line one\n"
    assert stream.feed("a hunt") == "a "
    assert stream.feed("ing dog") == "hunting dog"
    assert stream.feed("hunt") == ""
    assert stream.flush() == "hunt"
    assert stream.flush() == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("said: hunter…", "said: ***…"),
        ("said: 'hunter'…; more", "said: '***'…; more"),
        ("said: hunt…", "said: hunt…"),
        ("the hunter22s are hunters…", "the ***s are hunters…"),
        ("hunter", "hunter"),
    ],
)
def test_half_a_secret_before_the_mark_of_a_cut_is_masked(text, shown):
    """What a limit left of a secret is found, if it is six characters or more of its beginning."""
    assert Masker(["hunter22"]).mask(text) == shown


def test_a_cut_leaves_its_mark_where_something_is_missing():
    """A text within its limit stays as it is; of a longer one a mask finds half a secret."""
    assert cut("hunter22", 8) == "hunter22"
    assert Masker(["hunter22"]).mask(cut("it was hunter22", 14)) == "it was ***…"


ALPHABET = st.text("abA%6x=\n", min_size=0, max_size=12)


@settings(deadline=None)
@given(
    st.lists(ALPHABET.filter(lambda text: len(text.strip()) >= 6), min_size=1, max_size=4),
    st.data(),
)
@example(["aaaaaa"], None)
def test_a_stream_says_what_the_whole_text_says(secrets, data):
    """However a text is cut, the pieces add up to the masked whole, and no secret is in it."""
    masker = Masker(secrets)
    if data is None:
        pieces = ["a"] * 30
    else:
        parts = st.one_of(ALPHABET, st.sampled_from(secrets))
        text = "".join(data.draw(st.lists(parts, max_size=8)))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    stream = masker.stream()
    said = "".join([*map(stream.feed, pieces), stream.flush()])
    assert said == masker.mask("".join(pieces))
    assert not any(secret in said for secret in secrets)


def test_a_stream_never_holds_more_than_a_secret():
    """A text made of beginnings does not pile up."""
    stream = Masker(["a" * 8, "a" * 7 + "b"]).stream()
    shown = sum(len(stream.feed("a")) for _ in range(10_000))
    assert shown <= 3
    assert len(vars(stream)["_held"]) <= 8
