"""Working copies, copied as a commit of them would be exported."""

import subprocess
from pathlib import Path

import pytest

from workers.ledger.model.errors import UserError
from workers.source.working_copy import NO_COMMIT, copy


def files(folder: Path) -> dict[str, str]:
    """What lies in a folder: links by target, files by content and mode."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = f"{path.stat().st_mode & 0o777:o} {path.read_text()}"
    return found


def git(folder: Path, *words: str) -> str:
    """Run git there as somebody."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A git work tree with one commit on the branch `topic`, and changes since."""
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "-q", "-b", "topic")
    (work / ".gitignore").write_text("*.log\nnode_modules\n")
    (work / "old.py").write_text("old")
    (work / "run.sh").write_text("run")
    (work / "run.sh").chmod(0o775)
    (work / "sub").mkdir()
    (work / "sub" / "a.py").write_text("a")
    (work / "link").symlink_to("/etc/passwd")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "one")
    (work / "old.py").unlink()
    (work / "new ü.py").write_text("new")
    (work / "noise.log").write_text("noise")
    (work / "node_modules").mkdir()
    (work / "node_modules" / "x.js").write_text("x")
    return work


def test_a_disk_without_modes_has_gits_own(work: Path, tmp_path: Path):
    """With core.fileMode off, what is committed as executable is so, and nothing else (D16)."""
    git(work, "config", "core.fileMode", "false")
    (work / "run.sh").chmod(0o644)
    (work / "sub" / "a.py").chmod(0o755)
    copy(work, tmp_path / "copy")
    made = files(tmp_path / "copy")
    assert (made["run.sh"], made["sub/a.py"]) == ("755 run", "644 a")
    copy(work / "sub", tmp_path / "below")
    assert files(tmp_path / "below") == {"a.py": "644 a"}
    git(work, "config", "core.fileMode", "true")
    copy(work, tmp_path / "other")
    made = files(tmp_path / "other")
    assert (made["run.sh"], made["sub/a.py"]) == ("644 run", "755 a")


def test_a_work_tree_without_what_git_ignores(work: Path, tmp_path: Path):
    """Changed and new files come along; ignored and removed ones and .git stay out."""
    copied = copy(work, tmp_path / "copy")
    assert files(tmp_path / "copy") == {
        ".gitignore": "644 *.log\nnode_modules\n",
        "link": "-> /etc/passwd",
        "new ü.py": "644 new",
        "run.sh": "755 run",
        "sub/a.py": "644 a",
    }
    assert copied == (git(work, "rev-parse", "HEAD"), "topic")


def test_a_folder_of_a_work_tree(work: Path, tmp_path: Path):
    """A folder below the top is taken alone, still without what is ignored."""
    (work / "sub" / "more.log").write_text("noise")
    copy(work / "sub", tmp_path / "copy")
    assert files(tmp_path / "copy") == {"a.py": "644 a"}


def test_a_folder_without_git(tmp_path: Path):
    """Elsewhere all files come along, links as links."""
    folder = tmp_path / "plain"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a").write_text("a")
    (folder / "there").symlink_to("deep")
    assert copy(folder, tmp_path / "copy") == (NO_COMMIT, "")
    assert files(tmp_path / "copy") == {"deep/a": "644 a", "there": "-> deep"}


def test_no_folder_and_a_broken_repository_are_told(work: Path, tmp_path: Path):
    """Nothing is taken where git fails: it could be too much."""
    with pytest.raises(UserError, match="no folder"):
        copy(tmp_path / "none", tmp_path / "copy")
    (work / ".git" / "index").write_text("damaged")
    with pytest.raises(UserError, match="git can't read"):
        copy(work, tmp_path / "copy")
