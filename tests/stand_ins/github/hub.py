"""What tests do on GitHub, all together; here: pull requests."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.stand_ins.github import events, merging
from tests.stand_ins.github.hooks import TIME_LIMIT
from tests.stand_ins.github.model import ZEROS, PullRequest, StandInError, now
from tests.stand_ins.github.payloads import JSON, Links
from tests.stand_ins.github.pushes import Pushes


class Hub(Pushes):
    """GitHub as its users see it; every method with an event waits for the answers."""

    def __init__(
        self, root: Path, links: Links, token: str, hook_seconds: float = TIME_LIMIT
    ) -> None:
        super().__init__(root, links, token, hook_seconds)
        self._pulls: dict[tuple[str, int], PullRequest] = {}

    def open_pull_request(
        self,
        repo: str,
        head_branch: str,
        base_branch: str = "master",
        *,
        fork: bool = False,
        title: str = "A change",
    ) -> PullRequest:
        """Open a pull request, from a fork (made when missing) if asked for, and send `opened`."""
        base = self.repository(repo)
        head = self.fork(repo) if fork else base
        if fork and not self.head(head.full_name, head_branch):
            refs = f"refs/heads/{head_branch}:refs/heads/{head_branch}"
            self.git(head.full_name).run("fetch", "-q", str(self.git(repo).path), refs)
        with self.lock:
            number = 1 + sum(pull.repository == base.full_name for pull in self._pulls.values())
            pull = PullRequest(
                number=number,
                id=next(self.ids),
                repository=base.full_name,
                title=title,
                head_repository=head.full_name,
                head_branch=head_branch,
                head_sha=self._needed(head.full_name, head_branch),
                base_branch=base_branch,
                base_sha=self._needed(repo, base_branch),
            )
            self._pulls[base.full_name, number] = pull
        self._update_refs(pull)
        self._send_pull("opened", pull)
        return pull

    def pull_request(self, repo: str, number: int) -> PullRequest:
        """A pull request as it is now."""
        try:
            return self._pulls[self.repository(repo).full_name, number]
        except KeyError:
            raise StandInError(f"no pull request {number} in {repo}") from None

    def pull_requests(self, repo: str) -> list[PullRequest]:
        """The pull requests of a repository, oldest first."""
        name = self.repository(repo).full_name
        return [pull for pull in list(self._pulls.values()) if pull.repository == name]

    def synchronize(self, pull: PullRequest) -> PullRequest:
        """Take the head branch's newest commit into a pull request and send `synchronize`."""
        old = self.pull_request(pull.repository, pull.number)
        head = self._needed(pull.head_repository, pull.head_branch)
        changed = self._change(old, head_sha=head)
        self._update_refs(changed)
        self._send_pull("synchronize", changed, before=old.head_sha, after=head)
        return changed

    def close(self, pull: PullRequest) -> PullRequest:
        """Close a pull request without merging it and send `closed`."""
        changed = self._change(pull, state="closed", closed_at=now())
        self._send_pull("closed", changed)
        return changed

    def reopen(self, pull: PullRequest) -> PullRequest:
        """Open a closed pull request again and send `reopened`."""
        changed = self._change(pull, state="open", closed_at=None)
        self._send_pull("reopened", changed)
        return changed

    def merge(
        self, pull: PullRequest, method: str = "merge", *, push_first: bool = False
    ) -> PullRequest:
        """Merge into the base and send both `pull_request` closed and `push`, as GitHub does.

        GitHub promises no order between the two: `push_first` chooses it.
        """
        pull, git = self.pull_request(pull.repository, pull.number), self.git(pull.repository)
        if pull.state != "open":
            raise StandInError(f"pull request {pull.number} is {pull.state}")
        with self.lock_of(pull.repository):
            before = self._needed(pull.repository, pull.base_branch)
            commit = merging.merge(git, pull, before, method)
            git.set_ref(f"refs/heads/{pull.base_branch}", commit)
        pull = self._change(
            pull, state="closed", merged=True, merge_commit_sha=commit, closed_at=now()
        )
        for event in ("push", "pull_request") if push_first else ("pull_request", "push"):
            if event == "push":
                self.push_event(pull.repository, pull.base_branch, before=before)
            else:
                self._send_pull("closed", pull)
        return pull

    def _announce(self, repo: str, payload: JSON) -> None:
        super()._announce(repo, payload)
        name, branch = self.repository(repo).full_name, payload["ref"].removeprefix("refs/heads/")
        for pull in list(self._pulls.values()):
            here = pull.head_repository == name and pull.head_branch == branch
            if here and pull.state == "open" and payload["after"] != ZEROS:
                self.synchronize(pull)

    def _send_pull(self, action: str, pull: PullRequest, **more: Any) -> None:
        repos = self.repository(pull.repository), self.repository(pull.head_repository)
        payload = events.pull_request(action, pull, repos, self.links, **more)
        self._send(pull.repository, "pull_request", payload)

    def _change(self, pull: PullRequest, **fields: Any) -> PullRequest:
        with self.lock:
            changed = replace(self.pull_request(pull.repository, pull.number), **fields)
            self._pulls[pull.repository, pull.number] = changed
        return changed

    def _update_refs(self, pull: PullRequest) -> None:
        git, ref = self.git(pull.repository), f"refs/pull/{pull.number}"
        head = f"+refs/heads/{pull.head_branch}:{ref}/head"
        git.run("fetch", "-q", "--no-tags", str(self.git(pull.head_repository).path), head)
        base = self._needed(pull.repository, pull.base_branch)
        tree = git.merged_tree(base, pull.head_sha)
        if tree:
            message = f"Merge {pull.head_sha} into {base}"
            git.set_ref(f"{ref}/merge", git.commit_tree(tree, [base, pull.head_sha], message))
