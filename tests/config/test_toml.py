"""Bad configuration files get every problem with its line, whatever is in them."""

import pickle
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import pipeline, server
from config.toml import MAX_BYTES, MAX_PROBLEMS, ConfigError, Problem, read


def problems(text, parse=pipeline.parse):
    """What parse says of a text, a line each."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "f.toml")
    return str(caught.value).splitlines()


SITE = '[site]\nbucket = "site-bucket"\npath = "/app"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = \n", "f.toml:2: not valid TOML: Invalid value at column 5"),
        ('x = "a\n', "f.toml:1: not valid TOML: Illegal character '\\n' at column 7"),
        (
            "[build]\n\n[build]\n",
            (
                "f.toml:3: not valid TOML: Cannot declare ('build',) twice at column 7"
                "; each key and table may stand only once"
            ),
        ),
        ("\n\na = [", "f.toml:3: not valid TOML: Invalid value at the end of the file"),
        (
            "a = " + "[" * 9000 + "]" * 9000,
            "f.toml:1: lists or tables nested too deeply; no value here is that deep",
        ),
        ("a = " + "1" * 9000, "f.toml:1: a number with too many digits; shorten it"),
        (
            "\n" + "a." * 70 + "a = 1",
            "f.toml:2: a key of more than 64 parts; no key here is that deep",
        ),
        ("#" * (MAX_BYTES + 1), "f.toml:1: over 1 MB; a configuration file is a few kilobytes"),
    ],
)
def test_what_is_not_toml_is_told_with_its_line(text, said):
    """A text that is not TOML, or only to hurt, gets one message with its line."""
    assert problems(text) == [said]


def test_all_problems_come_at_once_and_in_order():
    """Unknown keys, wrong types, wrong values and missing keys are told together, by line."""
    text = (
        '[test]\ndockrfile = "x"\n[test.checks]\nlint = 3\n'
        '[site]\npath = "/app"\n[build]\nnetwork = "off"\n'
    )
    assert problems(text) == [
        'f.toml:2: test.dockrfile: unknown key; did you mean "dockerfile"?',
        "f.toml:4: test.checks.lint: expected a command or a table, got a whole number",
        "f.toml:5: site.bucket: missing; add it: S3 bucket; the operator must allow it",
        "f.toml:8: build.network: expected true or false, got a string",
    ]


def test_an_unknown_key_that_resembles_none_gets_the_known_ones():
    """Where no guess is near, the message lists what may stand there."""
    (problem,) = problems(SITE + "zzz = 1\n")
    known = "bucket, path, immutable, types, keep, distribution"
    assert problem == f"f.toml:4: site.zzz: unknown key; remove it, or use one of {known}"


def test_the_types_of_a_site_are_read_from_its_file():
    """As a table inside the line, or as one of its own; each wrong one is told with its line."""
    wanted = {".m4a": "audio/mp4", "about": "text/html", "en/x y": "text/html; charset=latin1"}
    lines = "".join(f'"{name}" = "{kind}"\n' for name, kind in wanted.items())
    inline = "types = { " + lines.strip().replace("\n", ", ") + " }\n"
    for text in (SITE + inline, SITE + "[site.types]\n" + lines):
        assert dict(pipeline.parse(text).site.types) == wanted
    assert dict(pipeline.parse(SITE).site.types) == {}
    wrong = SITE + '[site.types]\n".m4a" = "audio"\n"/about" = "text/html"\n".txt" = 7\n'
    said = problems(wrong)
    assert [one.split(" ")[0] for one in said] == ["f.toml:5:", "f.toml:6:", "f.toml:7:"]
    assert 'such as "audio/mp4"' in said[0]


def test_a_byte_order_mark_is_no_problem():
    """A file saved by an editor that writes a mark first is read."""
    assert pipeline.parse("\ufeff" + SITE).site.path == "/app"


def test_a_key_cannot_forge_a_line():
    """A line break in a key is written as an escape, and a long key is cut."""
    (said,) = problems(SITE + '[build]\n"a\\nf.toml:1: fine' + "x" * 500 + '" = 1\n')
    assert len(said) < 250
    assert "a\\nf.toml:1: fine" in said


def test_no_value_of_a_build_argument_is_repeated():
    """What may be a secret by mistake stays out of the message."""
    assert "hunter2" not in "".join(
        problems(SITE + '[build.args]\nA = "{hunter2}"\n"-" = "hunter2"\n')
    )


def test_a_flood_of_problems_is_cut():
    """A hundred problems are told, soon, of a file that has tens of thousands."""
    text = SITE + "".join(f"k{i} = 1\n" for i in range(20_000))
    before = time.monotonic()
    assert len(problems(text)) == MAX_PROBLEMS
    assert time.monotonic() - before < 10


@pytest.mark.parametrize(
    "text", ["a." * 400_000, "a" * 900_000, '"a".' * 200_000, "[" + "a." * 400_000, '"' * 900_000]
)
def test_text_made_to_be_slow_is_not(text):
    """A megabyte that would keep the parser busy for minutes is refused in seconds."""
    before = time.monotonic()
    assert len(problems(text)) == 1
    assert time.monotonic() - before < 10


def test_problems_survive_pickling():
    """An error that crosses processes keeps its problems."""
    error = ConfigError([Problem("f", 2, "b"), Problem("f", 1, "a"), Problem("f", 2, "b")])
    assert pickle.loads(pickle.dumps(error)).problems == error.problems
    assert str(error) == "f:1: a\nf:2: b"


def test_an_absent_file_is_a_clear_error(tmp_path):
    """A path that leads nowhere, or to a folder, is told by its name."""
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match=r"can't be read: .*; check the path and its mode"):
            read(path)


def test_a_file_that_is_not_utf8_is_told_with_the_line(tmp_path):
    """The line of the first bad byte is named."""
    path = tmp_path / "latin.toml"
    path.write_bytes(b"a = 1\n# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin.toml:2: not UTF-8; save the file as UTF-8"):
        read(path)


def test_a_file_that_is_too_big_is_not_read_whole(tmp_path):
    """An endless file ends in a message."""
    path = tmp_path / "big.toml"
    path.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="over 1 MB"):
        read(path)


VALUES = st.recursive(
    st.sampled_from(["1", "true", '"x"', "1.5", "1979-05-27", "nan", '""', '"5m"', '"/app"']),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda ones: "[" + ", ".join(ones) + "]"),
        st.dictionaries(
            st.sampled_from(["run", "name", "branch", "path", "x"]), inner, max_size=3
        ).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=5,
)
KEYS = st.sampled_from(
    [
        *pipeline.Pipeline.model_fields,
        *server.Operator.model_fields,
        *server.Environment.model_fields,
        *("checks", "args", "smoke", "payload", "include", "a"),
    ]
)


@settings(deadline=None)
@given(st.dictionaries(st.lists(KEYS, min_size=1, max_size=3).map(".".join), VALUES, max_size=6))
def test_any_shape_is_valid_or_a_clear_error(table):
    """No document, however its values are mixed up, raises anything but ConfigError."""
    text = "\n".join(f"{key} = {value}" for key, value in table.items())
    for parse in (pipeline.parse, server.parse):
        try:
            parse(text, "f.toml")
        except ConfigError as error:
            lines = [problem.line for problem in error.problems]
            assert lines == sorted(lines)
            assert 1 <= lines[0] <= lines[-1] <= max(1, len(table))
