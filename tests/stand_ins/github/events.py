"""The JSON of GitHub's webhook events; shapes after docs.github.com/webhooks."""

from typing import Any

from tests.stand_ins.github import payloads
from tests.stand_ins.github.git import Git
from tests.stand_ins.github.model import LOGIN, ZEROS, Hook, PullRequest, Repository
from tests.stand_ins.github.payloads import JSON, Links

MOST_COMMITS = 2048
ZEN = "Approachable is better than simple."


def ping(hook: Hook, repo: Repository, links: Links) -> JSON:
    """What a new hook is greeted with."""
    return {
        "zen": ZEN,
        "hook_id": hook.id,
        "hook": payloads.hook(hook, links),
        "repository": payloads.repository(repo, links),
        "sender": payloads.user(LOGIN, links),
    }


def push(git: Git, repo: Repository, ref: str, before: str, after: str, links: Links) -> JSON:
    """A ref that moved from one commit to another; forty zeros for none."""
    created, deleted = before == ZEROS, after == ZEROS
    commits = [] if deleted else _commits(git, repo, ref, before, after, links)
    head = None if deleted else _commit(git, repo, git.commit_id(after) or after, links)
    web = f"{links.web}/{repo.full_name}"
    compare = f"{web}/compare/{before[:12]}...{after[:12]}"
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "repository": _repository(repo, links),
        "pusher": {"name": LOGIN, "email": f"{LOGIN}@users.noreply.github.com"},
        "sender": payloads.user(LOGIN, links),
        "created": created,
        "deleted": deleted,
        "forced": not created and not deleted and not git.is_ancestor(before, after),
        "base_ref": None,
        "compare": f"{web}/commit/{after[:12]}" if created else compare,
        "commits": commits,
        "head_commit": head,
    }


def pull_request(
    action: str, pull: PullRequest, repos: tuple[Repository, Repository], links: Links, **more: Any
) -> JSON:
    """Something that happened to a pull request; `repos` are those of base and head."""
    return {
        "action": action,
        "number": pull.number,
        "pull_request": payloads.pull_request(pull, repos, links),
        "repository": payloads.repository(repos[0], links),
        "sender": payloads.user(LOGIN, links),
    } | more


def _repository(repo: Repository, links: Links) -> JSON:
    # The push event alone counts these times in seconds and names the owner twice.
    shape = payloads.repository(repo, links)
    created = payloads.epoch(repo.created_at)
    shape["owner"] |= {"name": repo.owner, "email": None}
    return shape | {
        "created_at": created,
        "pushed_at": created,
        "stargazers": 0,
        "master_branch": repo.default_branch,
    }


def _commits(
    git: Git, repo: Repository, ref: str, before: str, after: str, links: Links
) -> list[JSON]:
    if ref.startswith("refs/tags/"):
        return []
    since = [f"^{before}"] if before != ZEROS and git.commit_id(before) else []
    default = f"refs/heads/{repo.default_branch}"
    if before == ZEROS and ref != default and git.commit_id(default):
        since = [f"^{default}"]
    listed = git.run("rev-list", "--reverse", f"--max-count={MOST_COMMITS}", after, *since)
    return [_commit(git, repo, sha, links) for sha in listed.split()]


def _commit(git: Git, repo: Repository, sha: str, links: Links) -> JSON:
    whole = payloads.commit(git, repo, sha, links)["commit"]
    changes = git.run("show", "--format=", "--name-status", "--no-renames", "-m", "-1", sha)
    names: dict[str, list[str]] = {"A": [], "M": [], "D": []}
    for line in changes.splitlines():
        letter, _, path = line.partition("\t")
        names.setdefault(letter, []).append(path)
    return {
        "id": sha,
        "tree_id": whole["tree"]["sha"],
        "distinct": True,
        "message": whole["message"],
        "timestamp": whole["committer"]["date"],
        "url": f"{links.web}/{repo.full_name}/commit/{sha}",
        "author": _person(whole["author"]),
        "committer": _person(whole["committer"]),
        "added": names["A"],
        "removed": names["D"],
        "modified": names["M"],
    }


def _person(who: JSON) -> JSON:
    return {"name": who["name"], "email": who["email"], "username": who["name"]}
