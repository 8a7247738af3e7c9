"""One commit in a mirror: what it holds, and how it stands to other commits."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from config import limits
from config.masker import cut
from workers.ledger.model.errors import OurError, PassingError, UserError
from workers.source.faults import Trouble, diagnose, said_by
from workers.source.git import Git, Result
from workers.source.heard import Take
from workers.source.weight import Weight

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
REGULAR = {"100644", "100755", "100664"}
SYMLINK = "120000"
DAMAGED = "slipway-damaged"
"""The file in a mirror that says: don't trust it."""

BAD_PATH = "[Ii]nvalid path|File name too long"


class Relation(StrEnum):
    """How our commit stands to theirs."""

    SAME = "same"
    NEWER = "newer"
    """Ours descends from theirs."""
    OLDER = "older"
    """Ours is an ancestor of theirs."""
    UNRELATED = "unrelated"
    UNKNOWN = "unknown"
    """Theirs is not in the mirror: fetch it and ask again."""


@dataclass(frozen=True)
class Snapshot:
    """One commit that is whole in the mirror at `directory`."""

    git: Git
    directory: Path
    commit: str

    def tree(self) -> str:
        """The id of the commit's tree: two commits with the same files have the same."""
        return self._text("rev-parse", "--verify", "--quiet", f"{self.commit}^{{tree}}")

    def subject(self) -> str:
        """The first line of the commit's message, for people; its beginning if it is long."""
        # One byte for each letter at least, and four at most.
        asked = ("show", "--no-patch", "--format=%s", self.commit)
        result = self._sound(self._run(*asked, most=4 * (limits.SUBJECT + 1)))
        return cut(result.out.decode(errors="replace").strip(), limits.SUBJECT)

    def exists(self, path: str) -> bool:
        """Whether the commit holds a file, link or directory of that path."""
        return bool(self._entry(path))

    def read(self, path: str, limit: int = limits.MANIFEST) -> bytes | None:
        """The bytes of a regular file, None where there is nothing.

        Raises:
            UserError: it is a link, a directory or a submodule, or larger than `limit` bytes.
        """
        entry = self._entry(path)
        if not entry:
            return None
        mode, _, name, size = entry
        if mode not in REGULAR:
            what = "a symbolic link" if mode == SYMLINK else "not a file"
            raise UserError(f"{path} is {what} in {self.commit}: commit it as a regular file")
        if int(size) > limit:
            raise UserError(f"{path} has {size} bytes; at most {limit} are read")
        return self._succeed("cat-file", "blob", name).out

    def names(self, folder: str = "") -> Sequence[str]:
        """The first 10,000 names in a folder, sorted; none where there is no folder."""
        entry = self._entry(folder) if folder else ["", "tree"]
        if entry[1:2] != ["tree"]:
            return ()
        at = f"{self.commit}:{folder.strip('/')}"
        listed = self._succeed("ls-tree", "-z", "--name-only", at).out.split(b"\0")
        return sorted(name.decode(errors="replace") for name in listed if name)[: limits.LISTED]

    def export(self, target: Path) -> None:
        """Write the commit's files into `target`, which must not exist yet.

        The bytes are those that were committed: no filter, no line endings, no LFS, no
        attributes, and an empty directory for a submodule. Modes are 644 and 755. Git itself
        refuses every path that would leave `target`, also through a link.

        Raises:
            UserError: the commit holds paths that git refuses to write, or too much.
        """
        self._weigh()
        target = target.absolute()
        target.mkdir(parents=True, mode=0o755)
        index = target.with_name(f".{target.name}.index")
        variables = {"GIT_WORK_TREE": str(target), "GIT_INDEX_FILE": str(index)}
        try:
            self._written("read-tree", self.commit, variables=variables)
            self._written("checkout-index", "--all", "--force", "--quiet", variables=variables)
        finally:
            with contextlib.suppress(FileNotFoundError):
                index.unlink()

    def relation(self, theirs: str) -> Relation:
        """How this commit stands to another one of the same repository, by ancestry alone."""
        if theirs == self.commit:
            return Relation.SAME
        if not COMMIT.fullmatch(theirs):
            return Relation.UNKNOWN
        # The usual answer first, by one process instead of two.
        asked = self._ancestry(theirs, self.commit)
        if asked.code == 0:
            return Relation.NEWER
        if not self._holds(theirs):
            return Relation.UNKNOWN
        if asked.code != 1:
            self._sound(asked)
        return Relation.OLDER if self._precedes(self.commit, theirs) else Relation.UNRELATED

    def _weigh(self) -> None:
        """See that what is about to be written is not too much, by reading trees alone."""
        asked = ("ls-tree", "-r", "-t", "-l", "-z", "--full-tree", self.commit)
        self._sound(self._run(*asked, take=Weight(self.commit).take))

    def _written(self, *arguments: str, variables: dict[str, str]) -> None:
        result = self._run(*arguments, variables=variables)
        if result.code and re.search(BAD_PATH, result.complaint):
            raise UserError(f"{self.commit} can't be written as files: {said_by(result)}")
        self._sound(result)

    def _holds(self, commit: str) -> bool:
        return self._run("cat-file", "-e", f"{commit}^{{commit}}").code == 0

    def _ancestry(self, first: str, second: str) -> Result:
        return self._run("merge-base", "--is-ancestor", first, second)

    def _precedes(self, first: str, second: str) -> bool:
        result = self._ancestry(first, second)
        if result.code not in {0, 1}:
            self._sound(result)
        return result.code == 0

    def _entry(self, path: str) -> list[str]:
        """Mode, type, id and size of what is at a path; nothing where nothing is."""
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in path:
            raise UserError(f"{path!r} is not a path inside the repository")
        out = self._text("ls-tree", "-z", "--long", "--full-tree", self.commit, "--", str(pure))
        return out.partition("\t")[0].split()

    def _text(self, *arguments: str) -> str:
        return self._succeed(*arguments).out.decode(errors="replace").strip()

    def _succeed(self, *arguments: str) -> Result:
        return self._sound(self._run(*arguments))

    def _run(
        self,
        *arguments: str,
        variables: dict[str, str] | None = None,
        most: int = limits.GIT_OUTPUT,
        take: Take | None = None,
    ) -> Result:
        return self.git.run(
            *arguments, directory=self.directory, variables=variables, most=most, take=take
        )

    def _sound(self, result: Result) -> Result:
        """Take a failure on what must be whole for damage: the next fetch makes a new mirror."""
        if result.code:
            trouble = diagnose(result)
            if trouble is Trouble.REFUSED:
                raise UserError(f"git refuses {self.commit} as malformed: {said_by(result)}")
            if trouble is Trouble.DISK:
                raise OurError(f"no room on the worker's disk: {said_by(result)}")
            suspect(self.directory)
            raise PassingError(f"the mirror of the repository is damaged: {said_by(result)}")
        return result


def suspect(directory: Path) -> None:
    """Mark a mirror as damaged."""
    with contextlib.suppress(FileNotFoundError):
        (directory / DAMAGED).touch()
