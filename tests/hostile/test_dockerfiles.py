"""Dockerfiles that are no file, or cost far more to read than they have bytes."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config import limits
from workers.docker import images
from workers.ledger.model.errors import UserError

BEFORE = re.compile(rb"^\s*(?:#|//)\s*syntax\s*=\s*(\S*)", re.IGNORECASE | re.MULTILINE)
"""What once looked for the syntax line: over blank lines its time is quadratic."""

FILLS = {
    "blank lines": b"\n",
    "spaces": b" ",
    "hashes": b"#\n",
    "half a syntax line": b"# syntax ",
    "slashes": b"//\t",
    "tabs and carriage returns": b"\t\r",
}


def _seconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _check(folder: Path, name: str = "Dockerfile") -> None:
    images._check_frontend(folder, name, {})


def test_blank_lines_once_took_quadratic_time() -> None:
    """Four times the blank lines take the former expression sixteen times the time, or nearly."""
    short, long = b"\n" * 3000 + b"x", b"\n" * 12_000 + b"x"
    taken = min(_seconds(lambda: BEFORE.findall(short)) for _ in range(3))
    assert _seconds(lambda: BEFORE.findall(long)) > 8 * taken


@pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS)
def test_no_filling_holds_the_worker(tmp_path: Path, fill: bytes) -> None:
    """A Dockerfile as large as is read, of whatever repeats, is judged within a second."""
    text = (fill * (limits.DOCKERFILE // len(fill)))[: limits.DOCKERFILE - 20] + b"\nFROM scratch\n"
    (tmp_path / "Dockerfile").write_bytes(text)
    assert _seconds(lambda: _check(tmp_path)) < 1


def test_a_syntax_line_is_still_found_behind_blank_lines(tmp_path: Path) -> None:
    """Any line counts, wherever it stands."""
    (tmp_path / "Dockerfile").write_bytes(b"\n" * 1000 + b"  # Syntax = evil.example.com/x\r\n")
    with pytest.raises(UserError, match="asks for the frontend 'evil"):
        _check(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch\n# The old builder needed\n#   syntax = see docs\nCOPY . /app/\n",
        "FROM scratch\nRUN <<X\n# syntax=evil.example.com/x\nX\n",
    ],
)
def test_a_comment_that_mentions_syntax_is_a_comment(tmp_path: Path, text: str) -> None:
    """Behind the first instruction no version of BuildKit looks for one (D16)."""
    (tmp_path / "Dockerfile").write_text(text)
    _check(tmp_path)


@pytest.mark.parametrize(
    "before",
    ["# escape=`\rFROM x\n", "\ufeff", "#!/bin/x\n\n", "\u0085# a=b\n", "\v\f # x\n", "// a\n"],
)
def test_nothing_hides_a_syntax_line_at_the_top(tmp_path: Path, before: str) -> None:
    """Comments, blank lines and other ends of lines before it don't end the search."""
    (tmp_path / "Dockerfile").write_bytes(f"{before}# syntax=evil/x\nFROM scratch\n".encode())
    with pytest.raises(UserError, match="asks for the frontend 'evil"):
        _check(tmp_path)


def test_a_large_one_is_refused_by_its_name_and_limit(tmp_path: Path) -> None:
    """It is not read to its end, so that its size does not matter."""
    (tmp_path / "Dockerfile.test").write_bytes(b"FROM scratch\n")
    os.truncate(tmp_path / "Dockerfile.test", 50 << 30)
    with pytest.raises(UserError, match=r"Dockerfile\.test has more than 1000000 bytes"):
        _check(tmp_path, "Dockerfile.test")


def test_what_is_no_file_is_the_repositorys_fault(tmp_path: Path) -> None:
    """A folder, a dangling link, a circle, and a link to a device or out of the repository."""
    source = tmp_path / "source"
    (source / "folder").mkdir(parents=True)
    for name, target in (
        ("gone", "x"),
        ("circle", "circle"),
        ("out", "../x"),
        ("zero", "/dev/zero"),
    ):
        (source / name).symlink_to(target)
    (tmp_path / "x").touch()
    for name in ("folder", "gone", "circle", "out", "zero", "folder/none", "n" * 5000):
        with pytest.raises(UserError):
            _check(source, name)
