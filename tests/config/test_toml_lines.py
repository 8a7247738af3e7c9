"""Every key of a TOML document is found on its line."""

import json
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.toml.lines import key_lines

HARD = """\
# a comment with [brackets] and key = 1
top = 1 # "not = a key"
dotted . "quoted key".'and [this]' = true

[table]
text = \"\"\"
[not.a.table]
not = "a key" \\\"\"\"
still text \"\"\"\"\"
literal = '''
a = 1
it''s'''''
empty = \"\"
also = ''
path = 'C:\\'
after = "]}#,"

[ 'odd.name' . "tab\\tbed" ]
list = [ # comment ]
  1, "two, ]",
  # nothing = 1
  [3, [4]],
  { five = 5, six.seven = { eight = [8] } }, ]
when = 1979-05-27T07:32:00Z
day = 1979-05-27 07:32:00

[[many]]
name = "first"
[many.sub]
x = 1
[[many.inner]]
y = 1
[[many.inner]]
y = 2
[[many]]
name = "second"
[[many.inner]]
y = 3
"""


def paths(value, path=()):
    """Every path in a parsed document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from paths(inner, (*path, key))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("dotted",), 3),
        (("dotted", "quoted key", "and [this]"), 3),
        (("table",), 5),
        (("table", "text"), 6),
        (("table", "literal"), 10),
        (("table", "empty"), 13),
        (("table", "path"), 15),
        (("table", "after"), 16),
        (("odd.name", "tab\tbed"), 18),
        (("odd.name", "tab\tbed", "list"), 19),
        (("odd.name", "tab\tbed", "list", 0), 20),
        (("odd.name", "tab\tbed", "list", 1), 20),
        (("odd.name", "tab\tbed", "list", 2, 1, 0), 22),
        (("odd.name", "tab\tbed", "list", 3, "six", "seven", "eight", 0), 23),
        (("odd.name", "tab\tbed", "day"), 25),
        (("many",), 27),
        (("many", 0, "name"), 28),
        (("many", 0, "sub", "x"), 30),
        (("many", 0, "inner", 1, "y"), 34),
        (("many", 1), 35),
        (("many", 1, "name"), 36),
        (("many", 1, "inner", 0, "y"), 38),
    ],
)
def test_each_key_is_on_its_line(path, line):
    """Tables, lists of tables, dotted and quoted keys, and long strings do not mislead it."""
    assert key_lines(HARD)[path] == line


def test_it_finds_what_tomllib_finds():
    """It names exactly the paths that the parsed document has."""
    assert set(key_lines(HARD)) == set(paths(tomllib.loads(HARD)))


def test_windows_line_ends_count_once():
    """A file with CRLF has the same lines."""
    assert key_lines(HARD.replace("\n", "\r\n")) == key_lines(HARD)


FRAGMENTS = [
    *"=.,[]{}#'\"\\ \n\t",
    "\r\n",
    '"""',
    "'''",
    "[[a]]\n",
    "[a.b]\n",
    "[b]\n",
    "a = ",
    "a.b = ",
    '"a" = ',
    "1",
    "true",
    "x",
    "1e3",
    '"s"',
    "'l'",
    "{ a = 1 }",
    "[1, 2]",
    '"""t\n"t"""',
    "1979-05-27 07:32:00",
    "# c\n",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))
def test_any_valid_text_has_the_same_paths(text):
    """Whatever tomllib accepts, the scanner sees with the same keys."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(key_lines(text)) == set(paths(document))


names = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), min_size=0, max_size=8)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=20)
scalars = st.one_of(
    st.integers(-(2**60), 2**60).map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.floats(allow_nan=False).map(repr),
    texts.map(json.dumps).filter(lambda text: "\\ud" not in text),
    texts.filter(lambda text: not set(text) & set("\r\\") and all(ord(c) > 31 for c in text)).map(
        lambda text: '"""\n' + text.replace('"', "'") + '\n\n"""'
    ),
    st.lists(st.integers(0, 9), max_size=3).map(
        lambda ones: "[\n" + "".join(f"{i},\n" for i in ones) + "]"
    ),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), names, scalars), max_size=8, unique_by=lambda row: row[1]))
def test_generated_documents_are_told_to_the_line(rows):
    """Each generated key is found on the line on which it was written."""
    text, table, expected = "", (), {}
    for header, name, value in rows:
        key = json.dumps(name, ensure_ascii=False)
        line = text.count("\n") + 1
        if header:
            text += f"[{key}] # {name!r}\n"
            table = (name,)
            expected[table] = line
        else:
            text += f"  {key} = {value} # x\n\n"
            expected[(*table, name)] = line
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = key_lines(text)
    assert {path: found[path] for path in expected} == expected
