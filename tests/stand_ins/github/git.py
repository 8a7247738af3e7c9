"""A bare repository, changed with git's plumbing and without a work tree."""

import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tests.stand_ins.github.model import LOGIN, ZEROS, StandInError

FULL_SHA = 40
AUTHOR = f"{LOGIN} <{LOGIN}@users.noreply.github.com>"
CONFIG = """
[http]
    receivepack = true
[uploadpack]
    allowAnySHA1InWant = true
    allowFilter = true
[receive]
    hideRefs = refs/pull
    denyDeleteCurrent = refuse
    autogc = false
[gc]
    auto = 0
[core]
    quotePath = false
"""
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": LOGIN,
    "GIT_AUTHOR_EMAIL": f"{LOGIN}@users.noreply.github.com",
    "GIT_COMMITTER_NAME": "GitHub",
    "GIT_COMMITTER_EMAIL": "noreply@github.com",
    "LC_ALL": "C.UTF-8",
}


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


class Git:
    """One bare repository on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> str:
        """Run git and return its output without the last newline.

        Raises:
            StandInError: git failed, with what it said.
        """
        done = self.attempt(*arguments, stdin=stdin)
        if check and done.returncode:
            raise StandInError(f"git {arguments[0]}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="replace").removesuffix("\n")

    def attempt(
        self, *arguments: str, stdin: bytes = b"", **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git and return what became of it."""
        return subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env=ENVIRONMENT | environment,
        )

    def create(self, default_branch: str) -> None:
        """Make the repository; one that is there is kept, with this default branch."""
        self.path.mkdir(parents=True, exist_ok=True)
        new = not (self.path / "config").exists()
        self.run("init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}")
        self.run("symbolic-ref", "HEAD", f"refs/heads/{default_branch}")
        if new:
            with (self.path / "config").open("a", encoding="utf-8") as config:
                config.write(CONFIG)

    def commit_id(self, revision: str) -> str | None:
        """The full id of the commit that a revision names; None if there is none."""
        if revision.startswith("-"):
            return None
        commit = f"{revision}^{{commit}}"
        done = self.attempt("rev-parse", "--verify", "--quiet", commit)
        return done.stdout.decode().strip() or None

    def refs(self) -> dict[str, str]:
        """Every branch and tag with the id that it points to."""
        lines = self.run(
            "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags"
        ).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines)

    def set_ref(self, ref: str, commit: str) -> None:
        """Point a ref to a commit, or delete it (forty zeros)."""
        if commit == ZEROS:
            self.run("update-ref", "-d", ref)
        else:
            self.run("update-ref", ref, commit)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` contains `old`."""
        return self.attempt("merge-base", "--is-ancestor", old, new).returncode == 0

    def commit(
        self,
        branch: str,
        files: Mapping[str, str | bytes | None],
        message: str,
        parents: Sequence[str],
        *,
        executable: Collection[str] = (),
        author: str = AUTHOR,
        date: int | None = None,
    ) -> str:
        """Add a commit with these changes (None deletes) and move the branch to it."""
        when = f"{date if date is not None else int(time.time())} +0000"
        ref = f"refs/heads/{branch}"
        stream = [f"reset {ref}\n\ncommit {ref}\nmark :1\n".encode()]
        stream.append(f"author {author} {when}\ncommitter {author} {when}\n".encode())
        stream.append(_data(message.encode()))
        for word, parent in zip(["from"] + ["merge"] * len(parents), parents, strict=False):
            stream.append(f"{word} {parent}\n".encode())
        for path, content in files.items():
            stream.append(_change(path, content, executable=path in executable))
        stream.append(b"\nget-mark :1\ndone\n")
        return self.run("fast-import", "--quiet", "--force", "--done", stdin=b"".join(stream))

    def merged_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of a merge of two commits; None when they conflict."""
        done = self.attempt("merge-tree", "--write-tree", "--no-messages", ours, theirs)
        return None if done.returncode else done.stdout.decode().strip()

    def commit_tree(
        self, tree: str, parents: Sequence[str], message: str, author: tuple[str, str] | None = None
    ) -> str:
        """Make a commit out of a tree, without moving a ref; committed by GitHub itself."""
        who = {"GIT_AUTHOR_NAME": author[0], "GIT_AUTHOR_EMAIL": author[1]} if author else {}
        options = [option for parent in parents for option in ("-p", parent)]
        done = self.attempt("commit-tree", tree, *options, stdin=message.encode(), **who)
        if done.returncode:
            raise StandInError(done.stderr.decode(errors="replace"))
        return done.stdout.decode().strip()


def _change(path: str, content: str | bytes | None, *, executable: bool) -> bytes:
    if content is None:
        return f"D {path}\n".encode()
    mode = "100755" if executable else "100644"
    raw = content.encode() if isinstance(content, str) else content
    return f"M {mode} inline {path}\n".encode() + _data(raw)
