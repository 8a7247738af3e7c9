"""Tests of tars that an honest build would not give."""

import io
import shutil
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.docker.tars import Entry, chunks, folder, symlink, tar
from tests.docker.test_package import pack
from workers.ledger.model.errors import OurError, PassingError, UserError
from workers.packaging.package import package
from workers.packaging.selection import Selection


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_special_files_are_refused_where_they_are_wanted(tmp_path: Path, kind: bytes):
    """A device or pipe in the selection is named; elsewhere it does not matter."""
    data = tar(Entry("dev/thing", kind=kind), Entry("src/a", b"1"))
    with pytest.raises(UserError, match="'dev/thing' is a "):
        pack(tmp_path, data)
    assert pack(tmp_path, data, Selection(("src",))).files == 1


@pytest.mark.parametrize("name", ["../up", "a/../../up", "../../../tmp/x", "a/..", "nül\0name"])
def test_names_that_leave_the_tree_are_refused(tmp_path: Path, name: str):
    """A name with `..` or NUL is named and nothing is written."""
    with pytest.raises(UserError, match="build output holds"):
        pack(tmp_path, tar(Entry(name, b"evil")))
    assert list(tmp_path.iterdir()) == []


def test_absolute_names_are_refused(tmp_path: Path):
    """A name from the root is refused, not taken as relative."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        file.addfile(tarfile.TarInfo("/etc/cron.d/x"))
    with pytest.raises(UserError, match=r"'/etc/cron\.d/x', which leaves"):
        pack(tmp_path, out.getvalue())


@pytest.mark.parametrize(
    "second",
    [
        Entry("a", b"2"),
        symlink("a", "b"),
        folder("a"),
        Entry("a/b"),
        Entry("./a", b"2"),
        Entry(".//a", b"2"),
        Entry("a", kind=tarfile.FIFOTYPE),
    ],
)
def test_one_name_is_one_thing(tmp_path: Path, second: Entry):
    """A name that comes twice, or is both file and folder, is refused and named."""
    with pytest.raises(UserError, match=r"'a'.*(twice|both)|both.*'a'"):
        pack(tmp_path, tar(Entry("a", b"1"), second))


def test_files_below_a_link_are_refused(tmp_path: Path):
    """A member can't be put through a link."""
    with pytest.raises(UserError, match="'l' both"):
        pack(tmp_path, tar(symlink("l", "/tmp"), Entry("l/evil", b"x")))


@pytest.mark.parametrize("target", ["./nowhere", "/etc/passwd", "../../etc/passwd"])
def test_hard_links_stay_in_the_tree(tmp_path: Path, target: str):
    """A hard link to what the tar does not hold is refused."""
    with pytest.raises(UserError, match="which"):
        pack(tmp_path, tar(Entry("h", kind=tarfile.LNKTYPE, link=target)))


def test_names_beyond_utf8_are_refused(tmp_path: Path):
    """A name that is not UTF-8 can't be in a zip and is named."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as file:
        file.addfile(tarfile.TarInfo("caf\udce9"))
    with pytest.raises(UserError, match="not UTF-8"):
        pack(tmp_path, out.getvalue())


def test_upper_and_lower_case_are_two_files(tmp_path: Path):
    """Lambda's file system tells A from a."""
    assert pack(tmp_path, tar(Entry("A", b"1"), Entry("a", b"2"))).files == 2


@pytest.mark.parametrize("kind", [b"S", b"V", b"M", b"D", b"7", b"Z"])
def test_unknown_kinds_are_refused(tmp_path: Path, kind: bytes):
    """A member of a kind that this reader does not know, such as a sparse one, is refused."""
    data = bytearray(tar(Entry("odd", b"x" * 10)))
    header = data[512:1024]
    header[156:157] = kind
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data[512:1024] = header
    with pytest.raises(UserError, match=r"'./odd', whose kind"):
        pack(tmp_path, bytes(data))


@pytest.mark.parametrize(
    "records",
    [
        {"GNU.sparse.name": "x", "GNU.sparse.realsize": "1000000000000"},
        {"size": "-5"},
        {"size": "9" * 400},
        {"unheard": "of"},
    ],
)
def test_records_that_change_the_meaning_are_refused(tmp_path: Path, records: dict[str, str]):
    """Sparse maps, wrong sizes and unknown records are not guessed at."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        info = tarfile.TarInfo("x")
        info.pax_headers = records
        file.addfile(info)
    with pytest.raises((OurError, PassingError)):
        pack(tmp_path, out.getvalue())


def test_attributes_do_not_matter(tmp_path: Path):
    """Extended attributes and sub-second times, which engines record, are passed over."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        info = tarfile.TarInfo("x")
        info.pax_headers = {
            "SCHILY.xattr.user.a": "b",
            "mtime": "1.5",
            "LIBARCHIVE.creationtime": "1",
        }
        file.addfile(info)
    assert pack(tmp_path, out.getvalue()).files == 1


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_is_told_and_never_crashes(data: st.DataObject, tmp_path_factory):
    """Random damage to a tar gives a package or one of our errors, nothing else."""
    good = bytearray(tar(Entry("a" * 120, b"1"), symlink("l", "b"), Entry("b", b"2" * 700)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(good) - 1))
        good[at] = data.draw(st.integers(0, 255))
        if data.draw(st.booleans()):
            start = at - at % 512
            block = good[start : start + 512]
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
            good[start : start + 512] = block
    folder = tmp_path_factory.mktemp("zip")
    made = None
    with suppress(UserError, OurError, PassingError):
        made = package(chunks(bytes(good)), {"f": Selection()}, folder)
    assert [file.suffix for file in folder.iterdir()] == ([".zip"] if made else [])
    shutil.rmtree(folder)
