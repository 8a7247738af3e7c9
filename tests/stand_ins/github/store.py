"""What the stand-in remembers: repositories, statuses and webhooks."""

import itertools
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.stand_ins.github.access import app_complaint
from tests.stand_ins.github.faults import Fault, Faults
from tests.stand_ins.github.git import Git
from tests.stand_ins.github.hooks import TIME_LIMIT, Sender
from tests.stand_ins.github.journal import Request
from tests.stand_ins.github.model import (
    LOGIN,
    Delivery,
    Hook,
    Repository,
    StandInError,
    Status,
)
from tests.stand_ins.github.payloads import Links, number_of


class Store:
    """The state behind one stand-in; the repositories are on disk, the rest in memory."""

    def __init__(
        self, root: Path, links: Links, token: str, hook_seconds: float = TIME_LIMIT
    ) -> None:
        self.root = root
        self.links = links
        self.token = token
        self.tokens = {token}
        self.sender = Sender(hook_seconds)
        self.journal: list[Request] = []
        self.hooks: dict[int, Hook] = {}
        self.ids = itertools.count(1_000_001)
        self.lock = threading.RLock()
        self._faults = Faults()
        self._repositories: dict[str, Repository] = {}
        self._statuses: dict[tuple[str, str], list[Status]] = defaultdict(list)
        self._locks: dict[str, threading.RLock] = defaultdict(threading.RLock)

    @property
    def deliveries(self) -> list[Delivery]:
        """Every webhook delivery, in order of sending."""
        return self.sender.all

    @property
    def requests(self) -> list[Request]:
        """Every request to the API and to git, in order of answering."""
        return list(self.journal)

    @property
    def faults(self) -> list[Fault]:
        """Every fault that was ordered, with how often it struck."""
        return list(self._faults.all)

    def repositories(self) -> list[Repository]:
        """All repositories, in order of their names."""
        return [self._repositories[name] for name in sorted(self._repositories)]

    def repository(self, full_name: str) -> Repository:
        """One repository.

        Raises:
            StandInError: there is none of this name.
        """
        try:
            return self._repositories[full_name.lower()]
        except KeyError:
            raise StandInError(f"no repository {full_name}") from None

    def git(self, full_name: str) -> Git:
        """The repository on disk."""
        repo = self.repository(full_name)
        return Git(self.root / repo.owner / f"{repo.name}.git")

    def lock_of(self, full_name: str) -> threading.RLock:
        """What a change of a repository's refs holds."""
        with self.lock:
            return self._locks[full_name.lower()]

    def create_repository(
        self,
        full_name: str,
        *,
        default_branch: str = "master",
        private: bool = True,
        parent: str | None = None,
    ) -> Repository:
        """Make an empty repository; one that is there, also on disk from before, is kept."""
        known = self._repositories.get(full_name.lower())
        if known:
            return known
        clone_url = f"{self.links.web}/{full_name}.git"
        repo = Repository(
            number_of(full_name), full_name, clone_url, default_branch, private, parent
        )
        Git(self.root / repo.owner / f"{repo.name}.git").create(default_branch)
        with self.lock:
            return self._repositories.setdefault(full_name.lower(), repo)

    def add_hook(self, repo: str, url: str, secret: str | None = None, **more: Any) -> Hook:
        """Register a webhook: JSON, push and pull_request events unless told otherwise."""
        given = {"content_type": "json", "events": ["push", "pull_request"]} | more
        name = self.repository(repo).full_name
        hook = Hook(id=next(self.ids), repository=name, url=url, secret=secret, **given)
        self.hooks[hook.id] = hook
        return hook

    def hooks_of(self, repo: str, event: str | None = None) -> list[Hook]:
        """The webhooks of a repository; with an event, the active ones that want it."""
        name = self.repository(repo).full_name
        found = [hook for hook in list(self.hooks.values()) if hook.repository == name]
        return [hook for hook in found if event is None or hook.wants(event)]

    def add_status(
        self,
        repo: str,
        sha: str,
        state: str,
        context: str = "default",
        description: str | None = None,
        target_url: str | None = None,
    ) -> Status:
        """Put a status on a commit, unchecked."""
        name = self.repository(repo).full_name
        with self.lock:
            status = Status(
                next(self.ids), name, sha, state, context, description, target_url, LOGIN
            )
            self._statuses[name, sha].append(status)
        return status

    def statuses(self, repo: str, sha: str) -> list[Status]:
        """All statuses of a commit, in the order in which they were posted."""
        return list(self._statuses.get((self.repository(repo).full_name, sha), []))

    def latest(self, repo: str, sha: str) -> dict[str, Status]:
        """The newest status of each context of a commit."""
        return {status.context: status for status in self.statuses(repo, sha)}

    def fail_next(self, method: str, path_regex: str, times: int = 1, **what: Any) -> Fault:
        """Order a fault for the next requests that match; `what` are the fields of Fault."""
        return self._faults.add(method, path_regex, times=times, **what)

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, counted; None when there is none."""
        return self._faults.strike(method, path)

    def struck(self, fault: Fault) -> int:
        """How often a fault has struck until now."""
        return next(one.struck for one in self.faults if one.id == fault.id)

    def unstruck(self) -> list[Fault]:
        """The faults that never struck: a test that ordered them has proved nothing."""
        return [fault for fault in self.faults if not fault.struck]

    def clear_faults(self) -> None:
        """Forget all faults, also those that are still due."""
        self._faults.clear()

    def add_token(self, token: str) -> None:
        """Accept one more token."""
        self.tokens.add(token)

    def revoke_token(self, token: str) -> None:
        """Accept a token no longer."""
        self.tokens.discard(token)

    def complaint(self, token: str | None, *, app: bool) -> str | None:
        """Why this credential is refused; None when it is accepted."""
        if token is None:
            return "Requires authentication"
        if app:
            return app_complaint(token)
        return None if token in self.tokens else "Bad credentials"
