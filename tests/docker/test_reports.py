"""What checks leave: taken from their containers, refused where it is not files."""

import tarfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docker.conftest import Quiet
from tests.docker.tars import Entry, chunks, folder, symlink, tar
from workers.docker import images
from workers.docker.bounds import Bounds
from workers.docker.checks import Fetch, Limits, reports, run_check
from workers.docker.checks.reports import Left
from workers.docker.engine import Engine
from workers.ledger.model.errors import UserError


def fetched(tmp_path: Path, *entries: Entry) -> Left:
    """What is taken from a report of these members."""

    @contextmanager
    def opened(path: str):
        assert path == "coverage"
        yield chunks(tar(*entries))

    return reports.fetch(opened, "coverage", tmp_path / "spool")


def test_a_report_is_its_files(tmp_path: Path):
    """Every file is read back, and the page to begin with is the index nearest to the top."""
    left = fetched(
        tmp_path,
        Entry("a.html", b"<a>"),
        folder("lcov"),
        Entry("lcov/index.html", b"<i>"),
        Entry("lcov/deep/index.html", b"<d>"),
        Entry("empty.css"),
    )
    assert {name: left.read(name) for name in left.files} == {
        "a.html": b"<a>",
        "empty.css": b"",
        "lcov/deep/index.html": b"<d>",
        "lcov/index.html": b"<i>",
    }
    assert (left.size, left.index) == (9, "lcov/index.html")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (symlink("secret", "/etc/passwd"), "coverage/secret is a link to '/etc/passwd'"),
        (Entry("tty", kind=tarfile.CHRTYPE), "coverage/tty is a character device"),
        (Entry("pipe", kind=tarfile.FIFOTYPE), "coverage/pipe is a named pipe"),
        (Entry("../../out", b"x"), "'./../../out', which leaves"),
        (Entry("x" * 900, b"x"), "too long"),
    ],
)
def test_what_is_no_file_of_the_report_is_refused(tmp_path: Path, entry: Entry, why: str):
    """Links, devices and names that leave the folder are refused and named."""
    with pytest.raises(UserError, match=why):
        fetched(tmp_path, Entry("index.html"), entry)


def test_a_report_is_limited(tmp_path: Path):
    """More than 50 MB, more than 5,000 files, and none at all are refused."""
    big = bytes(26 << 20)
    with pytest.raises(UserError, match="coverage has more than 50 MB or 5000 files"):
        fetched(tmp_path, Entry("a", big), Entry("b", big))
    with pytest.raises(UserError, match="coverage has more than 50 MB or 5000 files"):
        fetched(tmp_path, *(Entry(f"f{n}") for n in range(5001)))
    with pytest.raises(UserError, match="coverage holds no file"):
        fetched(tmp_path, folder("empty"))


@pytest.mark.docker
def test_what_a_check_left_is_fetched(
    real_engine: Engine, python_image: str, labels: dict[str, str], context: Path, tmp_path: Path
):
    """After its end a failing check's folder and file come out; links on the way are refused."""
    (context / "Dockerfile").write_text(f"FROM {python_image}\nWORKDIR /checked\n")
    image = images.build(
        real_engine,
        context,
        "Dockerfile",
        bounds=Bounds("none", "tests"),
        args={},
        labels=labels,
        timeout=60,
        say=print,
        watch=Quiet(),
    )
    found: dict[str, dict[str, bytes] | str] = {}

    def collect(fetch: Fetch) -> None:
        for path in ("out/html", "junit.xml", "link", "link/passwd", "none"):
            try:
                left = reports.fetch(fetch, path, tmp_path / "spool")
                found[path] = {name: left.read(name) for name in left.files}
            except UserError as error:
                found[path] = str(error)

    outcome = run_check(
        real_engine,
        image,
        "mkdir -p out/html && echo page > out/html/index.html && echo '<x/>' > junit.xml"
        " && ln -s /etc link && exit 3",
        name="coverage",
        labels=labels,
        limits=Limits("64m", 1, 64, 60),
        network="none",
        say=print,
        watch=Quiet(),
        collect=collect,
    )
    assert outcome.exit_code == 3
    assert found == {
        "out/html": {"index.html": b"page\n"},
        "junit.xml": {"junit.xml": b"<x/>\n"},
        "link": "'/checked/link' is a link",
        "link/passwd": "'/checked/link' is a link",
        "none": "there is no '/checked/none'",
    }
