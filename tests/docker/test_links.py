"""Tests of links in a build's output."""

import random
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from tests.docker.tars import Entry, folder, symlink, tar
from tests.docker.test_package import contents, pack
from workers.ledger.model.errors import UserError
from workers.packaging.selection import Selection
from workers.packaging.site_files import read_site


def test_links_become_copies(tmp_path: Path):
    """Links to files and folders, relative, absolute, through others and forward, are resolved."""
    made = pack(
        tmp_path,
        tar(
            symlink("first", "lib/x.js"),
            symlink("abs", "/app/lib/x.js"),
            folder("lib"),
            Entry("lib/x.js", b"x", mode=0o755),
            symlink("bin/tool", "../lib/x.js"),
            symlink("dir", "lib"),
            symlink("far", "dir/x.js"),
            Entry("hard", kind=tarfile.LNKTYPE, link="./lib/x.js"),
        ),
    )
    assert contents(made) == dict.fromkeys(
        ["first", "abs", "lib/x.js", "bin/tool", "dir/x.js", "far", "hard"], b"x"
    )


def test_a_workspace_outside_the_include_comes_along(tmp_path: Path):
    """What an included link points to is packed although its own place is not included."""
    big = random.Random(3).randbytes(2_500_000)
    made = pack(
        tmp_path,
        tar(
            symlink("node_modules/mine", "../packages/mine"),
            Entry("packages/mine/index.js", b"i"),
            Entry("packages/mine/big.wasm", big),
            Entry("packages/mine/test/t.js", b"t"),
            Entry("other", b"o"),
        ),
        Selection(("node_modules",), ("**/test",)),
    )
    assert contents(made) == {
        "node_modules/mine/index.js": b"i",
        "node_modules/mine/big.wasm": big,
    }


def test_an_include_below_a_link(tmp_path: Path):
    """An include may go through a link."""
    made = pack(
        tmp_path,
        tar(symlink("a", "b"), Entry("b/x/1", b"1"), Entry("b/y/2", b"2")),
        Selection(("a/x",)),
    )
    assert contents(made) == {"a/x/1": b"1"}


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("../../etc/passwd", "out of the build path"),
        ("/etc/passwd", "out of the build path"),
        ("/application/x", "out of the build path"),
        ("nowhere", "leads nowhere"),
        ("file/below", "leads nowhere"),
        ("link", "circle"),
        (".", "holds it"),
        ("", "holds it"),
    ],
)
def test_links_that_leave_or_turn_are_refused(tmp_path: Path, target: str, why: str):
    """A link that can't be resolved inside the tree is named with the reason."""
    with pytest.raises(UserError, match=f"'d/link'.*{why}"):
        pack(tmp_path, tar(folder("d"), Entry("file", b"f"), symlink("d/link", target)))


def test_a_link_that_nobody_wants_is_no_fault(tmp_path: Path):
    """A broken link outside the selection does not matter."""
    data = tar(Entry("src/a", b"1"), symlink("venv/bin/python", "/usr/bin/python3"))
    assert contents(pack(tmp_path, data, Selection(("src",)))) == {"src/a": b"1"}


def test_links_that_no_copying_ends_stay_links(tmp_path: Path):
    """Two members of a workspace that depend on each other: the zip has links there (D13)."""
    data = tar(Entry("a/f"), Entry("b/f"), symlink("a/to", "../b"), symlink("b/to", "../a"))
    made = pack(tmp_path, data)
    with zipfile.ZipFile(made.path) as packed:
        links = {
            one.filename: packed.read(one).decode()
            for one in packed.infolist()
            if one.external_attr >> 16 == 0o120777
        }
        names = packed.namelist()
    assert links == {"a/to/to": "..", "b/to/to": ".."}
    assert names == ["a/f", "a/to/f", "a/to/to", "b/f", "b/to/f", "b/to/to"]
    assert pack(tmp_path, data).sha256 == made.sha256


@pytest.mark.parametrize(
    ("name", "target", "kept"), [("d/up", "..", ".."), ("up", ".", "."), ("d/e/up", "..", "..")]
)
def test_a_link_to_what_holds_it_stays_inside(tmp_path: Path, name: str, target: str, kept: str):
    """What it leads to, from where it lies in the zip, is the folder in the zip."""
    data = tar(Entry("file", b"f"), Entry("d/f", b"f"), Entry("d/e/f", b"f"), symlink(name, target))
    assert contents(pack(tmp_path, data))[name] == kept.encode()


def test_a_link_into_what_the_package_lacks_is_refused(tmp_path: Path):
    """A link that stays one needs the folder that it leads to; a site can't have any."""
    data = tar(Entry("a/f"), Entry("b/f"), symlink("a/to", "../b"), symlink("b/to", "../a"))
    with pytest.raises(UserError, match="leads to a folder that holds it"):
        pack(tmp_path, data, Selection(("a/to",)))
    with pytest.raises(UserError, match="leads to a folder that holds it"):
        read_site(iter([data]), tmp_path / "site", root="/app")


@pytest.mark.parametrize("with_files", [True, False])
def test_link_bombs_end_soon(tmp_path: Path, with_files: bool):
    """Links that double at each level end with an error, not with the machine's memory."""
    entries = [Entry("keep", b"k"), Entry("d0/f", b"") if with_files else folder("d0")]
    for level in range(1, 40):
        entries += [symlink(f"d{level}/{side}", f"../d{level - 1}") for side in "ab"]
    start = time.monotonic()
    with pytest.raises(UserError, match="too many files"):
        pack(tmp_path, tar(*entries))
    assert time.monotonic() - start < 30
