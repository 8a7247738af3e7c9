"""The JSON of GitHub's REST objects; shapes after docs.github.com/rest."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.stand_ins.github.git import Git
from tests.stand_ins.github.model import LOGIN, Delivery, Hook, PullRequest, Repository, Status

JSON = dict[str, Any]


@dataclass(frozen=True)
class Links:
    """Where the API and the web pages are, as the asker reached them; no slash at the end."""

    api: str
    web: str


def number_of(name: str) -> int:
    """A stable id for a name, so that a restarted stand-in knows its repositories again."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) >> 1


def node_id(kind: str, number: int) -> str:
    """An opaque id as GraphQL would give it."""
    return f"{kind}_{number:x}"


def user(login: str, links: Links) -> JSON:
    """A user in the short form."""
    number = number_of(login)
    return {
        "login": login,
        "id": number,
        "node_id": node_id("U", number),
        "avatar_url": f"{links.web}/avatars/{number}",
        "gravatar_id": "",
        "url": f"{links.api}/users/{login}",
        "html_url": f"{links.web}/{login}",
        "type": "User",
        "site_admin": False,
    }


def repository(repo: Repository, links: Links) -> JSON:
    """A repository."""
    api, web = f"{links.api}/repos/{repo.full_name}", f"{links.web}/{repo.full_name}"
    return {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(repo.owner, links),
        "html_url": web,
        "description": None,
        "fork": repo.parent is not None,
        "url": api,
        "archive_url": f"{api}/{{archive_format}}{{/ref}}",
        "branches_url": f"{api}/branches{{/branch}}",
        "commits_url": f"{api}/commits{{/sha}}",
        "compare_url": f"{api}/compare/{{base}}...{{head}}",
        "contents_url": f"{api}/contents/{{+path}}",
        "deployments_url": f"{api}/deployments",
        "hooks_url": f"{api}/hooks",
        "pulls_url": f"{api}/pulls{{/number}}",
        "statuses_url": f"{api}/statuses/{{sha}}",
        "git_url": f"git:{web.partition(':')[2]}.git",
        "ssh_url": f"git@{web.partition('://')[2].partition(':')[0]}:{repo.full_name}.git",
        "clone_url": f"{web}.git",
        "created_at": repo.created_at,
        "updated_at": repo.created_at,
        "pushed_at": repo.created_at,
        "size": 1,
        "language": None,
        "archived": False,
        "disabled": False,
        "visibility": "private" if repo.private else "public",
        "default_branch": repo.default_branch,
        "permissions": dict.fromkeys(("admin", "maintain", "push", "triage", "pull"), True),
    }


def commit(git: Git, repo: Repository, sha: str, links: Links) -> JSON:
    """A commit as `GET /repos/{owner}/{repo}/commits/{ref}` shows it."""
    form = "%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
    tree, parents, *people, message = git.run("log", "-1", f"--format={form}", sha).split("\0")
    keys = ("name", "email", "date")
    author, committer = (dict(zip(keys, part, strict=True)) for part in (people[:3], people[3:]))
    api, web = f"{links.api}/repos/{repo.full_name}", f"{links.web}/{repo.full_name}"
    return {
        "sha": sha,
        "node_id": f"C_{sha}",
        "commit": {
            "author": author,
            "committer": committer,
            "message": message.rstrip("\n"),
            "tree": {"sha": tree, "url": f"{api}/git/trees/{tree}"},
            "url": f"{api}/git/commits/{sha}",
            "comment_count": 0,
            "verification": {
                "verified": False,
                "reason": "unsigned",
                "signature": None,
                "payload": None,
            },
        },
        "url": f"{api}/commits/{sha}",
        "html_url": f"{web}/commit/{sha}",
        "comments_url": f"{api}/commits/{sha}/comments",
        "author": user(LOGIN, links),
        "committer": user(LOGIN, links),
        "parents": [
            {"sha": p, "url": f"{api}/commits/{p}", "html_url": f"{web}/commit/{p}"}
            for p in parents.split()
        ],
    }


def status(one: Status, links: Links) -> JSON:
    """A commit status."""
    return {
        "url": f"{links.api}/repos/{one.repository}/statuses/{one.sha}",
        "avatar_url": f"{links.web}/avatars/{number_of(one.creator)}",
        "id": one.id,
        "node_id": node_id("SC", one.id),
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": one.created_at,
        "updated_at": one.created_at,
        "creator": user(one.creator, links),
    }


def combined_status(repo: Repository, sha: str, latest: list[Status], links: Links) -> JSON:
    """The statuses of a commit together: failure, pending or success."""
    states = {one.state for one in latest}
    together = "success" if states == {"success"} else "pending"
    if states & {"error", "failure"}:
        together = "failure"
    api = f"{links.api}/repos/{repo.full_name}/commits/{sha}"
    return {
        "state": together,
        "statuses": [status(one, links) for one in latest],
        "sha": sha,
        "total_count": len(latest),
        "repository": repository(repo, links),
        "commit_url": api,
        "url": f"{api}/status",
    }


def hook(one: Hook, links: Links) -> JSON:
    """A webhook; its secret is never shown."""
    url = f"{links.api}/repos/{one.repository}/hooks/{one.id}"
    return {
        "type": "Repository",
        "id": one.id,
        "name": "web",
        "active": one.active,
        "events": one.events,
        "config": hook_config(one),
        "updated_at": one.updated_at,
        "created_at": one.created_at,
        "url": url,
        "test_url": f"{url}/test",
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        "last_response": one.last_response,
    }


def hook_config(one: Hook) -> JSON:
    """The `config` of a webhook."""
    config = {
        "content_type": one.content_type,
        "insecure_ssl": one.insecure_ssl,
        "url": one.url,
    }
    return config | ({"secret": "********"} if one.secret else {})


def delivery(one: Delivery) -> JSON:
    """A delivery as the list shows it."""
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": one.delivered_at,
        "redelivery": one.redelivery,
        "duration": one.duration,
        "status": one.status,
        "status_code": one.status_code,
        "event": one.event,
        "action": one.action,
        "installation_id": None,
        "repository_id": number_of(one.repository) if one.repository else None,
        "throttled_at": None,
    }


def whole_delivery(one: Delivery) -> JSON:
    """A delivery with its request and its response."""
    response = {"headers": one.response_headers, "payload": one.response_body}
    request = {"headers": one.request_headers, "payload": one.payload}
    return delivery(one) | {"url": one.url, "request": request, "response": response}


def pull_request(pull: PullRequest, repos: tuple[Repository, Repository], links: Links) -> JSON:
    """A pull request; `repos` are those of its base and of its head."""
    base, head = repos
    api = f"{links.api}/repos/{pull.repository}/pulls/{pull.number}"
    web = f"{links.web}/{pull.repository}/pull/{pull.number}"
    return {
        "url": api,
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "statuses_url": f"{links.api}/repos/{pull.repository}/statuses/{pull.head_sha}",
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": user(head.owner, links),
        "body": None,
        "created_at": pull.created_at,
        "updated_at": pull.closed_at or pull.created_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.closed_at if pull.merged else None,
        "merge_commit_sha": pull.merge_commit_sha,
        "assignees": [],
        "requested_reviewers": [],
        "labels": [],
        "milestone": None,
        "draft": False,
        "head": _side(head, pull.head_branch, pull.head_sha, links),
        "base": _side(base, pull.base_branch, pull.base_sha, links),
        "author_association": "CONTRIBUTOR" if head.parent else "OWNER",
        "auto_merge": None,
        "merged": pull.merged,
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": user(LOGIN, links) if pull.merged else None,
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": False,
    }


def _side(repo: Repository, branch: str, sha: str, links: Links) -> JSON:
    return {
        "label": f"{repo.owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": user(repo.owner, links),
        "repo": repository(repo, links),
    }


def epoch(written: str) -> int:
    """Seconds since 1970 of a time as the API writes it; push events count so."""
    return int(datetime.fromisoformat(written).timestamp())
