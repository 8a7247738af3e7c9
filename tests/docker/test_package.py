"""Tests of turning a build's output into packages."""

import base64
import hashlib
import io
import os
import random
import shutil
import stat
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.docker.tars import Entry, chunks, folder, symlink, tar
from workers.ledger.model.errors import PassingError, UserError
from workers.packaging.package import LARGEST, Package, package
from workers.packaging.selection import Selection

ALL = Selection()


def pack(folder: Path, data: bytes, selection: Selection = ALL, root: str = "/app") -> Package:
    """The package of one function out of a tar."""
    return package(chunks(data), {"f": selection}, folder, root=root)["f"]


def contents(made: Package) -> dict[str, bytes]:
    """The files of a package, checked against their sums."""
    with zipfile.ZipFile(made.path) as file:
        assert file.testzip() is None
        return {info.filename: file.read(info) for info in file.infolist()}


def test_a_package_is_the_tree(tmp_path: Path):
    """All files come out of the zip as they were, and the record tells size, hash and count."""
    big = random.Random(1).randbytes(1_500_000) + b"x" * 2_500_000
    made = pack(
        tmp_path,
        tar(folder("src"), Entry("src/a.py", b"print(1)\n" * 99), Entry("e"), Entry("big", big)),
    )
    assert contents(made) == {"src/a.py": b"print(1)\n" * 99, "e": b"", "big": big}
    data = made.path.read_bytes()
    assert made.sha256 == base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert (made.size, made.files) == (len(data), 3)
    assert made.unzipped_size == len(big) + 99 * 9


def test_the_zip_says_nothing_of_time_or_machine(tmp_path: Path):
    """Entries are sorted, of 1980, of unix, 0644 or 0755, without extra fields."""
    made = pack(tmp_path, tar(Entry("z"), Entry("a", b"#!", mode=0o4711), Entry("m", mode=0o600)))
    with zipfile.ZipFile(made.path) as file:
        infos = file.infolist()
    assert [info.filename for info in infos] == ["a", "m", "z"]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert [stat.filemode(info.external_attr >> 16) for info in infos] == [
        "-rwxr-xr-x",
        "-rw-r--r--",
        "-rw-r--r--",
    ]
    assert {(info.create_system, info.extra, info.comment) for info in infos} == {(3, b"", b"")}


def test_unzip_is_content(tmp_path: Path):
    """Info-ZIP, a reader of another maker, finds no fault, also with names that are not ASCII."""
    made = pack(tmp_path, tar(Entry("ünï/ço∂e.txt", b"x" * 999), Entry("b", os.urandom(2 << 20))))
    done = subprocess.run(["unzip", "-t", made.path], capture_output=True, text=True, check=False)
    assert (done.returncode, "No errors" in done.stdout) == (0, True)


names = st.text(st.sampled_from("abAü.-"), min_size=1, max_size=3).filter(lambda n: n.strip("."))
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, tuple[bytes, bool]]:
    """Files by path: content, and whether it may be executed; no file is another one's folder."""
    drawn = draw(st.dictionaries(paths, st.tuples(st.binary(max_size=300), st.booleans())))
    return {
        path: file
        for path, file in drawn.items()
        if not any(other.startswith(path + "/") for other in drawn)
    }


@settings(max_examples=150, deadline=None)
@given(tree=trees().filter(bool), data=st.data())
def test_the_bytes_depend_on_the_tree_alone(
    tree: dict[str, tuple[bytes, bool]], data: st.DataObject, tmp_path_factory
):
    """Order, times, format and chunks of the tar don't change the zip; content comes back."""
    folder = tmp_path_factory.mktemp("zip")
    made = []
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        entries = [
            Entry(
                name,
                content,
                mode=data.draw(st.sampled_from([0o755, 0o700] if runs else [0o644, 0o6])),
                mtime=data.draw(st.integers(0, 2_000_000_000)),
            )
            for name, (content, runs) in data.draw(st.permutations(list(tree.items())))
        ]
        size = data.draw(st.integers(1, 5000))
        made.append(package(chunks(tar(*entries, form=form), size), {"f": ALL}, folder)["f"])
    assert made[0].sha256 == made[1].sha256
    assert contents(made[0]) == {name: content for name, (content, _) in tree.items()}
    shutil.rmtree(folder)


def test_big_files_pack_the_same_each_time(tmp_path: Path):
    """Pieces compressed in two threads give the same bytes whatever ran before them."""
    rng = random.Random(2)
    words = [rng.randbytes(rng.randrange(2, 12)) for _ in range(500)]
    big = b"".join(rng.choices(words, k=900_000))
    other = tar(Entry("o", bytes(3_000_000)), Entry("p", rng.randbytes(3_000_000)))
    hashes = set()
    for _ in range(4):
        hashes.add(pack(tmp_path, tar(Entry("b", big), Entry("s", big[:5000]))).sha256)
        pack(tmp_path, other)
    assert len(hashes) == 1


def test_long_names_in_both_formats(tmp_path: Path):
    """Names longer than a tar header holds arrive whole, in pax and in GNU tars."""
    name = "/".join(["node_modules", "a-package-with-a-long-name"] * 12) + "/índex.js"
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        link = symlink("l" * 150, name)
        made = pack(tmp_path, tar(Entry(name, b"1"), link, form=form))
        assert contents(made) == {name: b"1", "l" * 150: b"1"}


def test_each_function_takes_its_part(tmp_path: Path):
    """One pass gives each function its selection, and the same selection one file."""
    data = tar(
        Entry("node_modules/x/i.js", b"x"),
        Entry("src/a/h.js", b"a"),
        Entry("src/b/h.js", b"b"),
        Entry("README.md", b"r"),
    )
    made = package(
        chunks(data),
        {
            "A": Selection(("node_modules", "src/a")),
            "B": Selection(("node_modules", "src"), ("src/a",)),
            "A2": Selection(("node_modules", "src/a")),
        },
        tmp_path,
    )
    assert list(contents(made["A"])) == ["node_modules/x/i.js", "src/a/h.js"]
    assert list(contents(made["B"])) == ["node_modules/x/i.js", "src/b/h.js"]
    assert made["A2"] == made["A"]
    assert len(list(tmp_path.iterdir())) == 2


def test_bytecode_stays_out(tmp_path: Path):
    """Python's bytecode is left out, in its folder or not; a module that is nothing else stays."""
    made = pack(
        tmp_path,
        tar(
            Entry("a.pyc", b"2"),
            Entry("a.py", b"1"),
            Entry("p/__pycache__/a.cpython-311.pyc"),
            Entry("only.pyc", b"3"),
            symlink("q", "lib"),
            Entry("lib/b.py", b"4"),
            Entry("lib/b.pyc", b"5"),
        ),
    )
    assert list(contents(made)) == ["a.py", "lib/b.py", "only.pyc", "q/b.py"]


def test_includes_that_took_nothing_are_told(tmp_path: Path):
    """An include without a file is named in the record, for it may be a slip."""
    made = pack(tmp_path, tar(Entry("src/a.js", b"1")), Selection(("src", "node_moduels")))
    assert made.unmatched == ("node_moduels",)


def test_an_empty_package_is_refused(tmp_path: Path):
    """A selection without files names the function and the include."""
    with pytest.raises(UserError, match=r"package of f would be empty.*\['lib'\]"):
        pack(tmp_path, tar(Entry("src/a.js")), Selection(("lib",)))


def test_many_files_get_a_zip64_end(tmp_path: Path):
    """More files than a plain zip can count are still read back."""
    made = pack(tmp_path, tar(*(Entry(f"d{n % 97}/f{n}") for n in range(65_600))))
    with zipfile.ZipFile(made.path) as file:
        assert len(file.infolist()) == 65_600
    done = subprocess.run(["unzip", "-tqq", made.path], capture_output=True, check=False)
    assert done.returncode == 0


def test_too_large_lists_the_biggest(tmp_path: Path):
    """Over Lambda's limit the ten biggest files are listed, biggest first."""
    zeros = bytes(10_000_000)
    entries = [Entry(f"f{n:02}", zeros[: 9_000_000 + n]) for n in range(30)]
    with pytest.raises(UserError) as caught:
        pack(tmp_path, tar(*entries))
    lines = str(caught.value).splitlines()
    assert f"{LARGEST / 1e6:.1f} MB" in lines[0]
    assert [line.split()[-1] for line in lines[1:]] == [f"'f{n:02}'" for n in range(29, 19, -1)]


def test_copies_behind_links_count(tmp_path: Path):
    """Files that links multiply count each time."""
    links = [symlink(f"l{n}", "big") for n in range(30)]
    with pytest.raises(UserError, match="Lambda takes"):
        pack(tmp_path, tar(Entry("big", bytes(10_000_000)), *links))


def test_a_single_file(tmp_path: Path):
    """A build path that is a file, such as a Go binary, gives a package of this file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        info = tarfile.TarInfo("bootstrap")
        info.size, info.mode = 3, 0o755
        file.addfile(info, io.BytesIO(b"ELF"))
    assert contents(pack(tmp_path, out.getvalue())) == {"bootstrap": b"ELF"}


def test_a_prefixed_tar(tmp_path: Path):
    """The folder's own name, which `docker cp` puts before all names, is taken off."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for name, kind in (("app", tarfile.DIRTYPE), ("app/a", tarfile.REGTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            file.addfile(info)
    assert contents(pack(tmp_path, out.getvalue())) == {"a": b""}


@pytest.mark.parametrize("cut", [0, 100, 512, 1500, 2048])
def test_a_broken_stream_is_tried_again(tmp_path: Path, cut: int):
    """A tar without its end is a passing fault and leaves no zip behind."""
    data = tar(Entry("a", b"x" * 3000))
    with pytest.raises(PassingError, match="broke off"):
        pack(tmp_path, data[:cut])
    assert list(tmp_path.iterdir()) == []
