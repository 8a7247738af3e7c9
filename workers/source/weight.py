"""How much a commit's files would take on disk, known before the first of them is written."""

from config import limits
from config.units import size
from workers.ledger.model.errors import UserError

_SHOWN = 200


class Weight:
    """Adds up what `git ls-tree -r -t -l -z` lists, and stops it where that is too much.

    Trees may share their parts: a few kilobytes of them can stand for any number of files.
    """

    def __init__(self, commit: str) -> None:
        self._commit = commit
        self._rest = b""
        self._entries = 0
        self._bytes = 0
        self._paths = 0

    def take(self, data: bytes) -> None:
        """The next part of the list.

        Raises:
            UserError: the commit holds more than is written to disk.
        """
        *entries, self._rest = (self._rest + data).split(b"\0")
        for entry in entries:
            about, _, path = entry.partition(b"\t")
            self._entries += 1
            self._paths += len(path)
            number = about.split()[-1]
            self._bytes += int(number) if number.isdigit() else 0
            self._judge(path)
        if len(self._rest) > limits.SOURCE_PATHS:
            raise self._too_much("a path of more than", size(limits.SOURCE_PATHS), self._rest)

    def _judge(self, path: bytes) -> None:
        if self._entries > limits.SOURCE_FILES:
            raise self._too_much("more than", f"{limits.SOURCE_FILES} files and folders", path)
        if self._bytes > limits.SOURCE_BYTES:
            raise self._too_much("more than", f"{size(limits.SOURCE_BYTES)} of files", path)
        if self._paths > limits.SOURCE_PATHS:
            raise self._too_much("more than", f"{size(limits.SOURCE_PATHS)} of paths", path)

    def _too_much(self, words: str, most: str, path: bytes) -> UserError:
        where = path[:_SHOWN].decode(errors="replace")
        return UserError(
            f"commit {self._commit[:7]} holds {words} {most} ({where!r} is where it was one too "
            "many), and no more are written to disk: take what is not source out of the repository"
        )
