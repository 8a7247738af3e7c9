"""One bare mirror per repository: fetched by commit id, shared by the workers of one machine."""

import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.limits import FETCHED_BYTES
from config.units import duration
from workers.ledger.model.errors import UserError
from workers.source import packs
from workers.source.address import repository_name
from workers.source.faults import Trouble, diagnose, fault
from workers.source.git import Git, Result
from workers.source.lock import locked
from workers.source.moved import moved_to
from workers.source.snapshot import COMMIT, DAMAGED, Snapshot

KEPT = "refs/slipway/"
"""One ref per fetched commit: it keeps the commit's objects, and says that all are there."""

BY_BRANCH = "+refs/heads/*:refs/heads/*"
SHA256 = 64

# Above all others: what the repository's own .gitattributes say must not change a byte.
ATTRIBUTES = (
    "* -text -eol -crlf -ident -filter -working-tree-encoding -export-ignore -export-subst\n"
)


@dataclass(frozen=True)
class Request:
    """What is fetched, from where, with which token."""

    clone_url: str
    commit: str
    token: str | None = None

    @property
    def repository(self) -> str:
        """`owner/name`."""
        return repository_name(self.clone_url)


@dataclass(frozen=True)
class Mirror:
    """The mirror of one repository, under `<root>/mirrors`.

    `patience` are the seconds to wait before asking again for a commit that the server doesn't
    know: GitHub's webhooks are at times ahead of its git servers. `lock_seconds` is how long
    another worker may fetch the same repository before this one gives up for now. `most` are the
    bytes that its packs may take.
    """

    git: Git
    repository_id: int
    patience: Sequence[float] = (1, 3)
    lock_seconds: float = 900
    most: int = FETCHED_BYTES

    @property
    def directory(self) -> Path:
        """The bare repository."""
        return self.git.root / "mirrors" / f"{int(self.repository_id)}.git"

    def fetch(
        self,
        clone_url: str,
        commit: str,
        token: str | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> Snapshot:
        """Make sure that the mirror holds a commit with all its history; gives what it holds.

        Nothing goes over the network when the commit is there already. A damaged mirror is made
        anew, once. Call it before each use: another machine's mirror knows nothing of it.

        Raises:
            UserError: the repository has no such commit, git refuses it as malformed, or it is
                larger than it may be.
            OurError: the server doesn't let us in, or the disk is full.
            PassingError: the server is out of reach, or other workers hold the mirror.
        """
        if not COMMIT.fullmatch(commit):
            raise UserError(f"{commit!r} is not a commit id: 40 or 64 lower-case hex digits")
        snapshot = Snapshot(self.git, self.directory, commit)
        path = self.directory.with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        if self._kept(commit):
            return snapshot
        with locked(path, self.git.watch, self.lock_seconds) as lock:
            if not self._kept(commit):
                try:
                    self._fetch(Request(clone_url, commit, token), lock, say)
                finally:
                    packs.clear(self.directory)
        return snapshot

    def _fetch(self, request: Request, lock: int, say: Callable[[str], None]) -> None:
        began = time.monotonic()
        say(f"Fetching {request.commit} of {request.repository}")
        if (self.directory / DAMAGED).exists():
            self._remove()
        self._make(request.commit)
        before = packs.total(self.directory)
        trouble, result = self._attempts(request, lock, say)
        if trouble is Trouble.DAMAGED or (trouble is Trouble.LARGE and before):
            # What branches have left behind counts until then.
            why = "is damaged" if trouble is Trouble.DAMAGED else "has grown too large"
            say(f"The mirror {why}: fetching everything anew")
            self._remove()
            self._make(request.commit)
            trouble, result = self._attempts(request, lock, say)
        if trouble is Trouble.LARGE:
            raise packs.too_large(request.repository, request.commit, self.most)
        if trouble:
            raise fault(trouble, request.repository, f"commit {request.commit}", result)
        if self._run("cat-file", "-t", request.commit).out.strip() != b"commit":
            self._run("update-ref", "-d", f"{KEPT}{request.commit}", hold=(lock,))
            raise UserError(f"{request.commit} is something in {request.repository}, but no commit")
        say(f"Fetched in {duration(time.monotonic() - began)}")

    def _attempts(
        self, request: Request, lock: int, say: Callable[[str], None]
    ) -> tuple[Trouble | None, Result]:
        trouble, result = self._attempt(request, lock)
        for seconds in self.patience:
            if trouble is not Trouble.UNKNOWN_COMMIT:
                break
            say(f"The server doesn't know it yet: asking again in {duration(seconds)}")
            self._pause(seconds)
            trouble, result = self._attempt(request, lock)
        return trouble, result

    def _attempt(self, request: Request, lock: int) -> tuple[Trouble | None, Result]:
        """By commit id, by branch where the server wants that, from where a renamed one went."""
        trouble, result = self._once(request, lock)
        if trouble is Trouble.MOVED:
            target = moved_to(request.clone_url, request.token, self.git.authorities)
            if target:
                request = Request(target, request.commit, request.token)
                trouble, result = self._once(request, lock)
        return trouble, result

    def _once(self, request: Request, lock: int) -> tuple[Trouble | None, Result]:
        if self._whole(request.commit):
            return None, self._keep(request.commit, lock)
        result = self._pull(request, f"+{request.commit}:{KEPT}{request.commit}", lock)
        if not result.code:
            return None, result
        trouble = self._trouble(result)
        if trouble is Trouble.UNKNOWN_COMMIT:
            branches = self._pull(request, BY_BRANCH, lock, "--prune")
            if branches.code:
                return self._trouble(branches), branches
            if self._whole(request.commit):
                return None, self._keep(request.commit, lock)
        return trouble, result

    def _trouble(self, result: Result) -> Trouble:
        # Git does not say which signal has ended what writes its packs.
        return Trouble.LARGE if packs.total(self.directory) >= self.most else diagnose(result)

    def _pull(self, request: Request, refspec: str, lock: int, *options: str) -> Result:
        return self.git.run(
            "fetch",
            "--quiet",
            "--no-tags",
            *options,
            "--force",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--end-of-options",
            request.clone_url,
            refspec,
            directory=self.directory,
            remote=(request.clone_url, request.token),
            hold=(lock,),
            file_bytes=packs.room(self.directory, self.most),
        )

    def _kept(self, commit: str) -> bool:
        if not self.directory.is_dir() or (self.directory / DAMAGED).exists():
            return False
        # A ref that stands in a file of its own, as a fetch leaves it, needs no process.
        if (self.directory / KEPT / commit).is_file():
            return True
        return self._run("rev-parse", "--verify", "--quiet", f"{KEPT}{commit}").code == 0

    def _whole(self, commit: str) -> bool:
        """Whether the commit hangs on what the mirror has whole; git fetch asks the same way."""
        walk = ("rev-list", "--objects", "--quiet", commit, "--not", "--all")
        return self._run(*walk).code == 0

    def _keep(self, commit: str, lock: int) -> Result:
        return self._run("update-ref", f"{KEPT}{commit}", commit, hold=(lock,))

    def _run(self, *arguments: str, hold: Sequence[int] = ()) -> Result:
        return self.git.run(*arguments, directory=self.directory, hold=hold)

    def _make(self, commit: str) -> None:
        """An empty mirror, if there is none; under the lock every lock file of git's is stale."""
        if self.directory.is_dir():
            for stale in (*self.directory.glob("*.lock"), *self.directory.glob("refs/**/*.lock")):
                stale.unlink(missing_ok=True)
            return
        fresh = self.directory.with_suffix(f".{uuid.uuid4().hex}.new")
        kind = "sha256" if len(commit) == SHA256 else "sha1"
        self.git.run(
            "init", "--bare", "--quiet", "--template=", f"--object-format={kind}", str(fresh)
        )
        (fresh / "info").mkdir(parents=True, exist_ok=True)
        (fresh / "info" / "attributes").write_text(ATTRIBUTES)
        fresh.rename(self.directory)

    def _remove(self) -> None:
        """Out of everybody's way first: a reader sees all of a mirror or none of it."""
        if not self.directory.exists():
            return
        doomed = self.directory.with_suffix(f".{uuid.uuid4().hex}.old")
        self.directory.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.git.watch:
                self.git.watch.check()
            time.sleep(min(left, 0.5))


def head(git: Git, clone_url: str, branch: str, token: str | None = None) -> str | None:
    """The commit that a branch points to on the server, None without such a branch.

    Raises:
        OurError: the server doesn't let us in.
        PassingError: the server is out of reach.
    """
    ref = f"refs/heads/{branch}"
    result = _list(git, clone_url, ref, token)
    if result.code and diagnose(result) is Trouble.MOVED:
        result = _list(git, moved_to(clone_url, token, git.authorities) or clone_url, ref, token)
    if result.code:
        trouble = diagnose(result)
        known = Trouble.UNREACHABLE if trouble is Trouble.DAMAGED else trouble
        raise fault(known, repository_name(clone_url), branch, result)
    for line in result.out.decode(errors="replace").splitlines():
        commit, _, name = line.partition("\t")
        if name == ref and COMMIT.fullmatch(commit):
            return commit
    return None


def _list(git: Git, clone_url: str, ref: str, token: str | None) -> Result:
    remote = (clone_url, token)
    return git.run("ls-remote", "--quiet", "--end-of-options", clone_url, ref, remote=remote)
