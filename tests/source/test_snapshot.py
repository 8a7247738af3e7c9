"""What one commit holds, and what its files look like on disk, hostile ones included."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.source.conftest import NAME, Plumbing, digest
from tests.stand_ins.github import TOKEN, GitHub
from workers.ledger.model.errors import RunError, UserError
from workers.source.git import Git
from workers.source.mirror import Mirror, head
from workers.source.snapshot import Relation, Snapshot

Make = Callable[..., Snapshot]


def test_read_gives_committed_bytes(snapshot: Make) -> None:
    """A file is read as committed, and what isn't there is None."""
    made = snapshot({"slipway.toml": b"a\r\n\x00", "dir/slipway.toml": "b"})
    assert made.read("slipway.toml") == b"a\r\n\x00"
    assert made.read("./dir//slipway.toml") == b"b"
    assert made.read("dir/other.toml") is None
    assert made.read("*.toml") is None
    assert made.read("-h") is None


def test_exists_speaks_of_files_and_directories(snapshot: Make) -> None:
    """Any entry counts."""
    made = snapshot({"dir/Dockerfile": "FROM scratch"})
    assert made.exists("dir")
    assert made.exists("dir/Dockerfile")
    assert not made.exists("Dockerfile")


def test_a_folders_names_are_listed(snapshot: Make) -> None:
    """Files and folders alike, sorted, of the root or a folder; of nothing else any."""
    made = snapshot({"b.txt": "", "a/é": "", "a/c/d": ""})
    assert made.names() == ["a", "b.txt"]
    assert made.names("a") == made.names("a/") == ["c", "é"]
    assert list(made.names("b.txt")) == list(made.names("none")) == []
    with pytest.raises(UserError, match="not a path inside"):
        made.names("../x")


def test_what_is_no_regular_file_is_not_read(
    hub: GitHub, url: str, mirror: Mirror, plumbing: Plumbing
) -> None:
    """A link, a directory and a submodule in place of a file are the user's fault."""
    blob = plumbing.object("blob", b"/etc/passwd")
    inner = plumbing.tree(("100644", b"x", blob))
    tree = plumbing.tree(
        ("40000", b"dir", inner), ("120000", b"link", blob), ("160000", b"module", "ab" * 20)
    )
    made = mirror.fetch(url, plumbing.commit(tree), TOKEN)
    with pytest.raises(UserError, match="link is a symbolic link"):
        made.read("link")
    for path in ("dir", "module"):
        with pytest.raises(UserError, match="not a file"):
            made.read(path)
    assert made.read("link/x") is None


def test_a_file_above_the_limit_is_not_read(snapshot: Make) -> None:
    """The size is told, and the file isn't taken into memory."""
    with pytest.raises(UserError, match="has 11 bytes; at most 10"):
        snapshot({"slipway.toml": "x" * 11}).read("slipway.toml", limit=10)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", ".", "a\0b"])
def test_paths_outside_the_repository_are_refused(snapshot: Make, path: str) -> None:
    """No path leads out of the commit."""
    with pytest.raises(UserError, match="not a path inside"):
        snapshot({"a": "b"}).read(path)


def test_the_same_files_have_the_same_tree(snapshot: Make) -> None:
    """The tree's id depends on the files alone."""
    first, second = snapshot({"a": "1"}), snapshot({"a": "2"})
    third = snapshot({"a": "1"})
    assert first.commit != third.commit
    assert first.tree() == third.tree() != second.tree()


def test_export_writes_what_was_committed(snapshot: Make, tmp_path: Path) -> None:
    """Odd names, bytes and modes arrive, twice the same, and nothing of git's does."""
    files: dict[str, str | bytes | None] = {
        "run.sh": "#!/bin/sh\n",
        "dir/ünï—😀.txt": "x",
        "CASE": "1",
        "case": "2",
        "crlf.txt": b"a\r\nb\r\n",
        ".gitignore": "*\n",
        ".github/workflow.yml": "on: push",
        "-rf": "x",
    }
    made = snapshot(files, executable=["run.sh"])
    for name in ("one", "two"):
        made.export(tmp_path / name)
    written = digest(tmp_path / "one")
    assert written == digest(tmp_path / "two")
    assert set(written) == {*files, "dir", ".github"}
    assert written["run.sh"][0] == 0o755
    assert written["case"][0] == 0o644
    assert (tmp_path / "one" / "crlf.txt").read_bytes() == b"a\r\nb\r\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "hub", "one", "two"]


def test_attributes_change_no_byte(snapshot: Make, tmp_path: Path) -> None:
    """Line endings, keywords, filters, encodings and export rules of .gitattributes are ignored."""
    rules = (
        "[attr]trap filter=evil ident\n"
        "* text eol=crlf ident filter=lfs working-tree-encoding=UTF-16 export-subst trap\n"
        "hidden export-ignore\n"
    )
    content = b"$Id$ $Format:%H$\nsecond\n"
    files = {".gitattributes": rules, "sub/.gitattributes": rules}
    files |= {name: content.decode() for name in ("a", "hidden", "sub/b", "sub/hidden")}
    made = snapshot(files)
    made.export(tmp_path / "work")
    for name in ("a", "hidden", "sub/b", "sub/hidden"):
        assert (tmp_path / "work" / name).read_bytes() == content
    assert made.read("a") == content


def test_an_lfs_pointer_stays_a_pointer(snapshot: Make, tmp_path: Path) -> None:
    """Nothing is fetched for a file that LFS keeps."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    snapshot({".gitattributes": "*.bin filter=lfs", "a.bin": pointer}).export(tmp_path / "work")
    assert (tmp_path / "work" / "a.bin").read_text() == pointer


def test_links_and_submodules_stay_inside(
    url: str, mirror: Mirror, plumbing: Plumbing, tmp_path: Path
) -> None:
    """A link is written as a link, a submodule as an empty directory, and nothing is followed."""
    link, toml = plumbing.object("blob", b"/etc"), plumbing.object("blob", b"x")
    newline = plumbing.tree(("100644", b'new\nline\t\xff"quote', toml))
    modules = plumbing.object(
        "blob", b'[submodule "m"]\n\tpath = module\n\turl = https://h/x.git\n'
    )
    tree = plumbing.tree(
        ("100644", b".gitmodules", modules),
        ("40000", b"dir", newline),
        ("120000", b"etc", link),
        ("160000", b"module", "ab" * 20),
    )
    mirror.fetch(url, plumbing.commit(tree), TOKEN).export(tmp_path / "work")
    work = tmp_path / "work"
    assert (work / "etc").readlink() == Path("/etc")
    assert list((work / "module").iterdir()) == []
    assert [bytes(path) for path in (work / "dir").iterdir()] == [
        bytes(work / "dir") + b'/new\nline\t\xff"quote'
    ]


HOSTILE_NAMES = [b".git", b".GIT", b".Git", b"git~1", b"..", b".", b".g\xe2\x80\x8cit", b"a/b"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_that_mean_git_or_lead_out_are_refused(
    url: str, mirror: Mirror, plumbing: Plumbing, tmp_path: Path, name: bytes
) -> None:
    """Such a tree is the user's fault, and nothing of it is written."""
    config = plumbing.object("blob", b"[core]\n\tfsmonitor = touch /tmp/pwned\n")
    inner = plumbing.tree(("100644", b"config", config))
    sha = plumbing.commit(plumbing.tree(("40000", name, inner)))
    with pytest.raises(UserError):
        mirror.fetch(url, sha, TOKEN).export(tmp_path / "export")
    assert not list(tmp_path.glob("**/export/*"))


def test_a_tree_that_writes_through_its_own_link_is_refused(
    url: str, mirror: Mirror, plumbing: Plumbing, tmp_path: Path
) -> None:
    """A link and a directory of one name don't let a file out."""
    out = tmp_path / "out"
    out.mkdir()
    link, blob = plumbing.object("blob", str(out).encode()), plumbing.object("blob", b"x")
    inner = plumbing.tree(("100644", b"evil", blob))
    sha = plumbing.commit(plumbing.tree(("120000", b"a", link), ("40000", b"a", inner)))
    with pytest.raises(RunError):
        mirror.fetch(url, sha, TOKEN).export(tmp_path / "work")
    assert not list(out.iterdir())


@pytest.mark.parametrize("name", ["../../hooks", "x/../../../config", "-evil"])
def test_a_submodule_with_a_hostile_name_or_url_is_refused(
    hub: GitHub, url: str, mirror: Mirror, name: str
) -> None:
    """A .gitmodules that attacks old gits is the user's fault."""
    target = "-uevil" if name == "-evil" else "https://h/x.git"
    text = f'[submodule "{name}"]\n\tpath = m\n\turl = {target}\n'
    sha = hub.commit(NAME, "master", {".gitmodules": text})
    with pytest.raises(UserError, match="malformed"):
        mirror.fetch(url, sha, TOKEN)


def test_a_name_too_long_for_a_disk_is_the_users_fault(
    url: str, mirror: Mirror, plumbing: Plumbing, tmp_path: Path
) -> None:
    """Git can commit names that no file system takes."""
    blob = plumbing.object("blob", b"x")
    sha = plumbing.commit(plumbing.tree(("100644", b"x" * 300, blob)))
    with pytest.raises(UserError, match="can't be written"):
        mirror.fetch(url, sha, TOKEN).export(tmp_path / "work")


def test_hooks_in_the_mirror_never_run(
    hub: GitHub, url: str, mirror: Mirror, tmp_path: Path
) -> None:
    """Even a hook that got into the mirror is dead."""
    first = mirror.fetch(url, hub.commit(NAME, "master", {"a": "1"}), TOKEN)
    assert not (mirror.directory / "hooks").exists()
    (mirror.directory / "hooks").mkdir()
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        hook = mirror.directory / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n")
        hook.chmod(0o755)
    mirror.fetch(url, hub.commit(NAME, "master", {"a": "2"}), TOKEN).export(tmp_path / "work")
    first.export(tmp_path / "other")
    assert not (tmp_path / "pwned").exists()


def test_an_export_goes_to_a_fresh_directory_only(snapshot: Make, tmp_path: Path) -> None:
    """What is there already is never written into."""
    made = snapshot({"a": "b"})
    (tmp_path / "work").symlink_to("/etc")
    with pytest.raises(FileExistsError):
        made.export(tmp_path / "work")


def test_relative_directories_will_do(
    hub: GitHub, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data directory may be relative to where the worker runs, and need not exist yet."""
    sha = hub.commit(NAME, "master", {"a": "1"})
    monkeypatch.chdir(tmp_path)
    git = Git(Path(".slipway"))
    assert head(git, url, "master", TOKEN) == sha
    Mirror(git, 1).fetch(url, sha, TOKEN).export(Path("work"))
    assert (tmp_path / "work" / "a").read_text() == "1"


def test_relations_follow_ancestry(hub: GitHub, snapshot: Make, url: str, mirror: Mirror) -> None:
    """Order is ancestry: same, newer, older, unrelated, and unknown when it isn't in the mirror."""
    old = snapshot({"a": "1"}, date=2_000_000_000)
    new = snapshot({"a": "2"}, date=1_000_000_000)
    side = hub.commit(NAME, "side", {"a": "3"}, parents=[old.commit])
    side_snapshot = mirror.fetch(url, side, TOKEN)
    elsewhere = hub.commit(NAME, "master", {"a": "4"})
    assert new.relation(new.commit) is Relation.SAME
    assert new.relation(old.commit) is Relation.NEWER
    assert old.relation(new.commit) is Relation.OLDER
    assert new.relation(side_snapshot.commit) is Relation.UNRELATED
    assert new.relation(elsewhere) is Relation.UNKNOWN
    assert new.relation("--help") is Relation.UNKNOWN
    mirror.fetch(url, elsewhere, TOKEN)
    assert new.relation(elsewhere) is Relation.OLDER
