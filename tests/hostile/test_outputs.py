"""What builds and checks put out: far more than their archive has bytes."""

import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import limits
from tests.docker.tars import Entry, chunks, folder, symlink, tar
from workers.docker.checks import reports
from workers.ledger.model.errors import CancelledError, UserError
from workers.packaging.deflate import Blob
from workers.packaging.package import package
from workers.packaging.selection import Patience, Selection
from workers.packaging.site_files import read_site
from workers.packaging.tarstream import TarStream
from workers.packaging.tree import Tree

ZEROS = bytes(1 << 20)
GIGABYTE = 1 << 30


class Sparse:
    """The tar of a folder with one large file of nothing; counts what is fetched of it."""

    def __init__(self, size: int, name: str = "./big") -> None:
        info = tarfile.TarInfo(name)
        info.size = size
        self._head = tar()[:512] + info.tobuf(tarfile.PAX_FORMAT)
        self._left = size
        self.fetched = 0

    def __iter__(self) -> Iterator[bytes]:
        """The head, and zeros to the end."""
        yield self._head
        while self._left > 0:
            self._left -= len(ZEROS)
            self.fetched += len(ZEROS)
            yield ZEROS
        yield bytes(1024)


def test_a_large_file_within_the_limits_is_fetched_whole(tmp_path: Path) -> None:
    """Without a limit that strikes, all zeros come through, wanted or not."""
    sparse = Sparse(50 << 20)
    assert sum(member.size for member in TarStream(iter(sparse))) == 50 << 20
    assert sparse.fetched == 50 << 20


@pytest.mark.parametrize("size", [300_000_000, 10 * GIGABYTE])
def test_a_sparse_file_is_refused_at_its_header(tmp_path: Path, size: int) -> None:
    """Nothing of ten gigabytes is fetched, and the file is named."""
    sparse = Sparse(size)
    with pytest.raises(UserError, match="big"):
        package(iter(sparse), {"f": Selection()}, tmp_path)
    assert sparse.fetched == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["./big", "./__pycache__/big.pyc"])
def test_a_sparse_file_that_nobody_wants_is_refused_too(tmp_path: Path, name: str) -> None:
    """It would have to be fetched to get at what stands behind it."""
    sparse = Sparse(10 * GIGABYTE, name)
    with pytest.raises(UserError, match=r"big.* has 10\.7 GB"):
        package(iter(sparse), {"f": Selection(("src",))}, tmp_path)
    assert sparse.fetched == 0


def test_a_sparse_file_in_a_site_or_a_report_is_refused(tmp_path: Path) -> None:
    """The same file, taken as a site or as what a check left."""
    sparse = Sparse(10 * GIGABYTE)
    with pytest.raises(UserError, match="big"):
        read_site(iter(sparse), tmp_path / "site")

    @contextmanager
    def left(_: str) -> Iterator[Iterator[bytes]]:
        yield iter(sparse)

    with pytest.raises(UserError, match="big"):
        reports.fetch(left, "coverage", tmp_path / "report")
    assert sparse.fetched == 0


def _links(count: int, size: int) -> bytes:
    link = tarfile.LNKTYPE
    return tar(
        Entry("page", b"x" * size),
        *(Entry(f"l{number}", kind=link, link="./page") for number in range(count)),
    )


def _fetch(data: bytes, spool: Path) -> reports.Left:
    @contextmanager
    def left(_: str) -> Iterator[Iterator[bytes]]:
        yield chunks(data)

    return reports.fetch(left, "coverage", spool)


def test_hard_links_in_a_report_count_as_files(tmp_path: Path) -> None:
    """A few are fine; as many as would make a report too large are refused."""
    assert len(_fetch(_links(10, 1 << 20), tmp_path / "few").files) == 11
    for data in (_links(60, 1 << 20), _links(reports.MOST_FILES, 1)):
        assert len(data) < reports.MOST_BYTES
        with pytest.raises(UserError, match="coverage has more than 50 MB or 5000 files"):
            _fetch(data, tmp_path / "many")


def test_links_in_a_site_count_as_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file under thirty names is sent thirty times, so it counts thirty times."""
    monkeypatch.setattr("workers.packaging.site_files.LARGEST", 10 << 20)
    assert len(read_site(chunks(_links(8, 1 << 20)), tmp_path / "few").files) == 9
    with pytest.raises(UserError, match="the site has more than"):
        read_site(chunks(_links(30, 1 << 20)), tmp_path / "many")


def test_long_names_are_refused(tmp_path: Path) -> None:
    """A name or a link's target longer than Linux takes is shown by its beginning."""
    for entry in (Entry("a/" * 2100 + "x"), symlink("x", "b/" * 2100)):
        with pytest.raises(UserError, match="longer than 4096 bytes") as refused:
            package(chunks(tar(entry)), {"f": Selection()}, tmp_path)
        assert len(str(refused.value)) < 300


def test_deep_folders_are_counted(tmp_path: Path) -> None:
    """A few hundred deep names stand for a million folders, and end where it is too much."""
    entries = [Entry(f"{number:03}" + "/a" * 2000) for number in range(200)]
    assert sum(entry.name.count("/") for entry in entries) > limits.OUTPUT_FILES
    with pytest.raises(UserError, match=r"in the build output have more than|folders"):
        package(chunks(tar(*entries)), {"f": Selection()}, tmp_path)


def _winding(links: int) -> Tree:
    """Long paths through links of links."""
    long = "/".join(["a", ".."] * 900)
    tree = Tree("/app")
    tree.check_new("a/x")
    tree.files["a/x"] = Blob(1, executable=False)
    for number in range(links):
        tree.check_new(f"l{number}")
        tree.links[f"l{number}"] = f"{long}/a"
    return tree


def test_links_through_links_end() -> None:
    """Long paths through links of links are followed for seconds at most."""
    began = time.process_time()
    with pytest.raises(UserError, match="one link too many"):
        _winding(20_000).choose(lambda _: True)
    assert time.process_time() - began < 30


class _Cancelled:
    """A watch of a run that has been cancelled."""

    def check(self) -> None:
        """Raise."""
        raise CancelledError("cancelled by ada")


def test_following_links_asks_whether_to_go_on() -> None:
    """A cancel is heard while links are followed; nobody who asks, and it goes on to the end."""
    began = time.process_time()
    _winding(2000).choose(lambda _: True)
    whole = time.process_time() - began
    began = time.process_time()
    with pytest.raises(CancelledError):
        _winding(2000).choose(lambda _: True, Patience(_Cancelled()).ask)
    assert time.process_time() - began < whole / 2


def test_links_are_followed_once_for_all_functions() -> None:
    """Two hundred functions out of one image cost hardly more than one."""
    tree = _winding(300)
    began = time.process_time()
    first = tree.choose(lambda _: True)
    once = time.process_time() - began
    began = time.process_time()
    for _ in range(20):
        assert tree.choose(lambda _: True) == first
    assert time.process_time() - began < 5 * once


def test_a_chain_of_links_into_folders_ends(tmp_path: Path) -> None:
    """Folders whose links lead into the next folder are followed as far as Linux would."""
    entries = [folder(f"d{number}") for number in range(100)]
    entries += [symlink(f"d{number}/n", f"../d{number + 1}") for number in range(99)]
    with pytest.raises(UserError, match="leads through more than 40 links"):
        package(chunks(tar(*entries, Entry("d99/x", b"x"))), {"f": Selection()}, tmp_path)


def test_patterns_have_their_time() -> None:
    """Matching that takes longer than it may ends with a sentence on the patterns."""
    hard = Selection(tuple(f"{'**/*/' * 60}*a*b*c*{number}" for number in range(200)))
    name = "/".join(["aabbcc"] * 400)
    patience = Patience(seconds=0.2)
    began = time.process_time()

    def match_all() -> None:
        for _ in range(100_000):
            patience.matches(hard, name)

    with pytest.raises(UserError, match="include"):
        match_all()
    assert time.process_time() - began < 10


def test_patterns_of_many_functions_are_compiled_once() -> None:
    """Thousands of patterns do not push each other out of a cache for every name."""
    selections = [
        Selection(tuple(f"p{number}-{one}/*.js" for one in range(20))) for number in range(100)
    ]
    for selection in selections:
        selection.matches("a/b.js")
    began = time.process_time()
    for _ in range(10):
        for selection in selections:
            selection.matches("a/b.js")
    assert time.process_time() - began < 1
