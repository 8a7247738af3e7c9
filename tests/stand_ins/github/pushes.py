"""Commits, pushes and their deliveries."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.stand_ins.github import events
from tests.stand_ins.github.hooks import TIME_LIMIT
from tests.stand_ins.github.model import (
    ZEROS,
    Delivery,
    Hook,
    Repository,
    StandInError,
)
from tests.stand_ins.github.payloads import JSON, Links
from tests.stand_ins.github.store import Store

FORK_OWNER = "mallory"
MOST_TAGS, MOST_BRANCHES = 3, 5000


class Pushes(Store):
    """What happens to branches; every method with an event waits for the answers."""

    def __init__(
        self, root: Path, links: Links, token: str, hook_seconds: float = TIME_LIMIT
    ) -> None:
        super().__init__(root, links, token, hook_seconds)
        self._told: dict[tuple[str, str], str] = {}
        self._background = ThreadPoolExecutor(8, thread_name_prefix="stand-in-github")
        self._pending: set[Future[None]] = set()

    def create_repository(self, full_name: str, **more: Any) -> Repository:
        """As in Store; what a repository from before holds counts as told."""
        new = full_name.lower() not in self._repositories
        repo = super().create_repository(full_name, **more)
        if new:
            refs = self.git(full_name).refs()
            self._told |= {(repo.full_name, ref): commit for ref, commit in refs.items()}
        return repo

    def commit(
        self,
        repo: str,
        branch: str,
        files: Mapping[str, str | bytes | None],
        message: str = "A change",
        *,
        parents: Sequence[str] | None = None,
        executable: Collection[str] = (),
        date: int | None = None,
    ) -> str:
        """Put a commit on a branch and return its id; tells nobody (see push_event).

        Without `parents` it follows the branch, or the default branch when there is no such
        branch yet. In `files`, None deletes.
        """
        git, default = self.git(repo), self.repository(repo).default_branch
        with self.lock_of(repo):
            if parents is None:
                tip = git.commit_id(f"refs/heads/{branch}") or git.commit_id(
                    f"refs/heads/{default}"
                )
                parents = [tip] if tip else []
            return git.commit(branch, files, message, parents, executable=executable, date=date)

    def head(self, repo: str, branch: str) -> str | None:
        """The commit that a branch points to; None without such a branch."""
        return self.git(repo).commit_id(f"refs/heads/{branch}")

    def set_branch(self, repo: str, branch: str, commit: str | None) -> None:
        """Point a branch to a commit, or delete it (None); tells nobody (see push_event)."""
        with self.lock_of(repo):
            self.git(repo).set_ref(f"refs/heads/{branch}", commit or ZEROS)

    def fork(self, repo: str, owner: str = FORK_OWNER) -> Repository:
        """Fork a repository to another owner; a fork that is there is kept."""
        parent = self.repository(repo)
        fork = self.create_repository(
            f"{owner}/{parent.name}",
            default_branch=parent.default_branch,
            private=parent.private,
            parent=parent.full_name,
        )
        git = self.git(fork.full_name)
        if not git.refs():
            git.run("fetch", "-q", str(self.git(repo).path), "refs/heads/*:refs/heads/*")
        return fork

    def push_payload(self, repo: str, branch: str, *, before: str | None = None) -> JSON:
        """The push event of a branch (or `refs/…`) as it is now, for a hand-made delivery.

        `before` defaults to what the last push event told, or to the parent when that is the
        branch's head already.
        """
        ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
        git, one = self.git(repo), self.repository(repo)
        after = git.refs().get(ref, ZEROS)
        if before is None:
            before = self._told.get((one.full_name, ref), ZEROS)
            if before == after:
                before = git.commit_id(f"{after}^") or ZEROS
        return events.push(git, one, ref, before, after, self.links)

    def push_event(
        self, repo: str, branch: str, *, before: str | None = None, guid: str | None = None
    ) -> list[Delivery]:
        """Send the push event of a branch as it is now to every hook that wants it."""
        payload = self.push_payload(repo, branch, before=before)
        self._tell(repo, payload)
        return self._send(repo, "push", payload, guid)

    def pushed(self, repo: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Announce, in the background, a real push that changed these refs."""
        moved = [ref for ref in {**before, **after} if before.get(ref) != after.get(ref)]
        tags = [ref for ref in moved if ref.startswith("refs/tags/")]
        branches = [ref for ref in moved if ref not in tags]
        for ref in tags * (len(tags) <= MOST_TAGS) + branches * (len(branches) <= MOST_BRANCHES):
            payload = events.push(
                self.git(repo),
                self.repository(repo),
                ref,
                before.get(ref, ZEROS),
                after.get(ref, ZEROS),
                self.links,
            )
            self._tell(repo, payload)
            self.later(self._announce, repo, payload)

    def _announce(self, repo: str, payload: JSON) -> None:
        self._send(repo, "push", payload)

    def deliver(
        self,
        event: str,
        payload: Any,
        *,
        guid: str | None = None,
        secret: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        url: str | None = None,
        content_type: str | None = None,
    ) -> Delivery:
        """Send a hand-made delivery; what is not given is as in the repository's first hook.

        An empty `secret` leaves the signatures out; a header that is None is left out; a payload
        of bytes is sent as it is.
        """
        given: dict[str, Any] = {"secret": secret, "url": url, "content_type": content_type}
        hook = self._hook_for(payload, url)
        changed = replace(hook, **{key: v for key, v in given.items() if v is not None})
        sent = self.sender.send(changed, event, payload, guid=guid, headers=headers)
        if sent is None:
            raise StandInError("GitHub sends no delivery above 25 MB")
        return sent

    def redeliver(self, delivery_id: int) -> Delivery:
        """Send a delivery once more, with the same GUID, to its hook as it is now."""
        old = next((one for one in self.deliveries if one.id == delivery_id), None)
        hook = self.hooks.get(old.hook_id) if old else None
        if old is None or hook is None:
            raise StandInError(f"no delivery {delivery_id} of a hook that is still there")
        payload = old.body if old.payload is None else old.payload
        sent = self.sender.send(hook, old.event, payload, guid=old.guid, redelivery=True)
        return sent or old

    def ping(self, hook: Hook) -> Delivery:
        """Send a ping to a hook."""
        payload = events.ping(hook, self.repository(hook.repository), self.links)
        sent = self.sender.send(hook, "ping", payload)
        assert sent is not None  # a ping is small
        return sent

    def later(self, what: Any, *arguments: Any) -> None:
        """Do something in the background, as GitHub does with what follows a request."""
        future = self._background.submit(what, *arguments)
        with self.lock:
            self._pending.add(future)

    def settle(self, seconds: float = 30) -> None:
        """Wait until everything in the background is done, and raise what went wrong there."""
        while self._pending:
            with self.lock:
                futures = set(self._pending)
            done, late = wait(futures, timeout=seconds)
            if late:
                raise StandInError(f"{len(late)} deliveries are not through after {seconds} s")
            with self.lock:
                self._pending -= done
            for future in done:
                future.result()

    def shut(self) -> None:
        """Send nothing any more."""
        self._background.shutdown(wait=True, cancel_futures=True)

    def _tell(self, repo: str, payload: JSON) -> None:
        self._told[self.repository(repo).full_name, payload["ref"]] = payload["after"]

    def _send(
        self, repo: str, event: str, payload: JSON, guid: str | None = None
    ) -> list[Delivery]:
        guid = guid or str(uuid.uuid4())
        sent = [
            self.sender.send(hook, event, payload, guid=guid) for hook in self.hooks_of(repo, event)
        ]
        return [delivery for delivery in sent if delivery]

    def _hook_for(self, payload: Any, url: str | None) -> Hook:
        about = payload.get("repository") if isinstance(payload, dict) else None
        name = about.get("full_name") if isinstance(about, dict) else None
        known = list(self.hooks.values())
        for hook in [hook for hook in known if hook.repository == name] + known:
            return hook
        if url is None:
            raise StandInError("there is no hook yet: say `url`")
        return Hook(id=0, repository="", url=url, content_type="json")

    def _needed(self, repo: str, branch: str) -> str:
        commit = self.head(repo, branch)
        if commit is None:
            raise StandInError(f"no branch {branch} in {repo}")
        return commit
