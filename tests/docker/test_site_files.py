"""A site's files come out of the tar with their hashes, and nothing comes out that is no file."""

import hashlib
import tarfile

import pytest

from tests.docker.tars import Entry, chunks, symlink, tar
from workers.ledger.model.errors import UserError
from workers.packaging import site_files
from workers.packaging.site_files import read_site


def read(tmp_path, *entries):
    """The site of these members."""
    return read_site(chunks(tar(*entries)), tmp_path / "site", root="/app/dist")


def test_bytes_and_hashes_are_those_of_the_files(tmp_path):
    """Small, empty and large files can be read again, whole or in parts."""
    large = bytes(range(256)) * 10_000
    files = {"a.js": b"one", "b/empty.txt": b"", "b/large.bin": large}
    site = read(tmp_path, *(Entry(name, data) for name, data in files.items()))
    assert list(site.files) == sorted(files)
    for name, data in files.items():
        body = site.body(name)
        found = body if isinstance(body, bytes) else body.read()
        assert found == data
        assert site.files[name].sha256 == hashlib.sha256(data).hexdigest()
        assert site.files[name].size == len(data)
    stream = site.body("b/large.bin")
    stream.seek(-3, 2)
    assert stream.tell() == len(large) - 3
    assert stream.read() == large[-3:]


def test_text_is_told_from_bytes(tmp_path):
    """Whether a file is UTF-8 is known, also where a letter is cut between two pieces."""
    split = b"x" * ((1 << 20) - 1) + "ü".encode()
    site = read(tmp_path, Entry("a", split), Entry("b", b"\xfc"), Entry("c", b"\xc3"))
    assert [file.utf8 for file in site.files.values()] == [True, False, False]


def test_links_inside_become_copies(tmp_path):
    """A link to a file or folder of the site is what it points to."""
    site = read(tmp_path, Entry("v1/a.txt", b"1"), symlink("latest", "v1"))
    assert site.body("latest/a.txt") == b"1"


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "nowhere", "self"])
def test_links_that_lead_out_are_refused(tmp_path, target):
    """A link that leaves the folder, or leads nowhere, is named."""
    with pytest.raises(UserError, match="'self'"):
        read(tmp_path, Entry("index.html", b"1"), symlink("self", target))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_are_refused(tmp_path, kind):
    """What is no file is named."""
    with pytest.raises(UserError, match="'dev/thing'"):
        read(tmp_path, Entry("dev/thing", kind=kind))


def test_names_that_leave_the_folder_are_refused(tmp_path):
    """Nothing is written but the spool."""
    with pytest.raises(UserError, match="leaves"):
        read(tmp_path, Entry("../up", b"1"))
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_an_empty_site_is_refused(tmp_path):
    """A folder without files would take everything away."""
    with pytest.raises(UserError, match="would be empty: /app/dist"):
        read(tmp_path)


def test_names_that_s3_cannot_hold_are_refused(tmp_path):
    """Too long, or not UTF-8."""
    with pytest.raises(UserError, match="S3 takes 900"):
        read(tmp_path, Entry("/".join(["x" * 100] * 10), b"1"))
    with pytest.raises(UserError, match="not UTF-8"):
        read(tmp_path, Entry("a\udcff", b"1"))


def test_a_site_has_its_limit(tmp_path, monkeypatch):
    """What is larger than S3 takes ends the reading."""
    monkeypatch.setattr(site_files, "LARGEST", 10)
    with pytest.raises(UserError, match="more than"):
        read(tmp_path, Entry("a", b"12345678"), Entry("b", b"12345678"))
