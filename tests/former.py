"""The code of an earlier version, out of this clone's history."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.stand_ins.slipway import ROOT

UNNUMBERED = "8b92549"
"""The last commit whose ledger has no schema number and keys without a hash tag."""


def tree(folder: Path, revision: str) -> Path:
    """The files of a revision; the test is skipped in a clone that does not have it."""
    asked = ["git", "archive", revision]
    found = subprocess.run(asked, cwd=ROOT, capture_output=True, check=False)
    if found.returncode:
        pytest.skip(f"{revision} is not in this clone")
    with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def said(root: Path, text: str, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """What a program says that runs with the code under `root`."""
    done = subprocess.run(
        [sys.executable, "-c", text, *arguments],
        cwd=root,
        env={"PYTHONPATH": str(root), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
