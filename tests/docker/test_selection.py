"""Tests of which files a package takes."""

import time

import pytest

from workers.ledger.model.errors import UserError
from workers.packaging.selection import Selection


@pytest.mark.parametrize(
    ("include", "taken", "left"),
    [
        ((), ["a", "a/b", ".env"], []),
        (("src",), ["src/a.js", "src/x/b.js", "src"], ["src2/a.js", "a/src/b.js"]),
        (("./src/",), ["src/a.js"], ["srcs"]),
        ((".",), ["a", "a/b"], []),
        (("*.json",), ["package.json"], ["src/package.json", "a.js"]),
        (("**/*.json",), ["package.json", "a/b/c.json"], ["a.js"]),
        (("src/**/index.js",), ["src/index.js", "src/a/b/index.js"], ["src/a/other.js"]),
        (("lib?",), ["lib1/x", "lib2"], ["lib", "lib12"]),
        (("pages/[id].js",), ["pages/[id].js", "pages/i.js"], ["pages/x.js"]),
        (("a.c",), ["a.c"], ["abc"]),
    ],
)
def test_includes_are_paths_or_globs(include: tuple[str, ...], taken: list, left: list):
    """An include is a path with all below it, or a glob that stays in its folder unless `**`."""
    selection = Selection(include)
    assert [name for name in taken if not selection.matches(name)] == []
    assert [name for name in left if selection.matches(name)] == []


def test_exclude_wins():
    """What is excluded stays out although it is included."""
    selection = Selection(("src",), ("src/**/*.test.js", "src/fixtures"))
    assert selection.matches("src/a.js")
    assert not selection.matches("src/a.test.js")
    assert not selection.matches("src/fixtures/x")


@pytest.mark.parametrize("bad", ["../secret", "/etc", "src/../../x", "a\0b"])
def test_patterns_stay_in_the_build_path(bad: str):
    """A pattern that leaves the build path is the user's error and is named."""
    with pytest.raises(UserError, match="leaves the build path"):
        Selection((bad,)).matches("anything")


def test_hostile_globs_take_no_time():
    """Many stars do not make matching slow."""
    selection = Selection(("**/a*a*a*a*a*a*a*a*a*b/**/**/x/**/x/**/x/**/y",))
    name = "/".join(["a" * 200] * 8 + ["x"] * 200)
    start = time.process_time()
    assert not selection.matches(name)
    assert time.process_time() - start < 1
