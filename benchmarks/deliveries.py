"""Push deliveries as GitHub sends them: 8 KB of JSON, signed, each with its own id and commit."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator

SECRET = "a webhook secret for benchmarks"
REPOSITORY = "watchlist/movies-loader"
BYTES = 8192
_COMMIT = "c0ffee00" * 5
_API = ("archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits")
_MORE = ("compare", "contents", "contributors", "deployments", "downloads", "events", "forks")
_REST = ("hooks", "issues", "keys", "labels", "languages", "merges", "milestones", "pulls")


def push(commit: str, web: str = "https://github.com", before: str = "a" * 40) -> dict:
    """A push of one commit to `develop`, with the fields that GitHub's has."""
    person = {"name": "octocat", "email": "octocat@users.noreply.github.com"}
    owner = {
        "login": "watchlist",
        "id": 583231,
        "node_id": "MDQ6VXNlcjU4MzIzMQ==",
        "url": "https://api.github.com/users/watchlist",
        "html_url": f"{web}/watchlist",
        "type": "Organization",
        "site_admin": False,
    }
    change = {
        "id": commit,
        "tree_id": "d" * 40,
        "distinct": True,
        "message": "Load movies in batches of twenty-five\n\nDynamoDB takes no more at once.",
        "timestamp": "2026-03-04T12:00:00+01:00",
        "url": f"{web}/{REPOSITORY}/commit/{commit}",
        "author": {**person, "username": "octocat"},
        "committer": {**person, "username": "octocat"},
        "added": [],
        "removed": [],
        "modified": [],
    }
    urls = {
        f"{name}_url": f"https://api.github.com/repos/{REPOSITORY}/{name}{{/id}}"
        for name in (*_API, *_MORE, *_REST)
    }
    return {
        "ref": "refs/heads/develop",
        "before": before,
        "after": commit,
        "repository": {
            "id": 1296269,
            "name": "movies-loader",
            "full_name": REPOSITORY,
            "private": True,
            "owner": {**owner, "name": "watchlist", "email": None},
            "html_url": f"{web}/{REPOSITORY}",
            "url": f"{web}/{REPOSITORY}",
            "clone_url": f"{web}/{REPOSITORY}.git",
            "ssh_url": f"git@github.com:{REPOSITORY}.git",
            **urls,
            "description": "Loads movies into DynamoDB",
            "fork": False,
            "created_at": 1296068472,
            "pushed_at": 1772622000,
            "default_branch": "develop",
            "topics": ["aws-lambda", "python"],
            "visibility": "private",
        },
        "pusher": person,
        "organization": owner,
        "sender": {**owner, "login": "octocat", "type": "User"},
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{web}/{REPOSITORY}/compare/{before[:12]}...{commit[:12]}",
        "commits": [change],
        "head_commit": change,
    }


def body(commit: str, size: int = BYTES, web: str = "https://github.com") -> bytes:
    """The JSON of a push; names of changed files fill it up to `size` bytes."""
    payload = push(commit, web)
    changed: list[str] = payload["head_commit"]["modified"]  # the one commit, listed twice
    while size - len(json.dumps(payload, separators=(",", ":"))) > 160:
        changed.append(f"movies/loaders/batches/test_{len(changed):03}.py")
    text = json.dumps(payload, separators=(",", ":"))
    return (text + " " * (size - len(text))).encode()


def signed(content: bytes, delivery: str, path: str, host: str) -> bytes:
    """The whole HTTP request, with both signatures that GitHub sends."""
    key = SECRET.encode()
    head = (
        f"POST {path} HTTP/1.1\r\n"
        f"Host: {host}\r\n"
        "User-Agent: GitHub-Hookshot/1a2b3c4\r\n"
        "Accept: */*\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n"
        "X-GitHub-Event: push\r\n"
        f"X-GitHub-Delivery: {delivery}\r\n"
        f"X-Hub-Signature: sha1={hmac.new(key, content, hashlib.sha1).hexdigest()}\r\n"
        f"X-Hub-Signature-256: sha256={hmac.new(key, content, hashlib.sha256).hexdigest()}\r\n"
        "\r\n"
    )
    return head.encode() + content


def requests(count: int, path: str, host: str, *, repeat: bool = False) -> Iterator[bytes]:
    """Signed requests; each asks for another commit, or all are the same delivery again."""
    template = body(_COMMIT)
    one = uuid.uuid4().hex
    for _ in range(count):
        name = one if repeat else uuid.uuid4().hex
        commit = (name * 2)[:40].encode()
        content = template.replace(_COMMIT.encode(), commit)
        content = content.replace(_COMMIT[:12].encode(), commit[:12])
        yield signed(content, str(uuid.UUID(name)), path, host)
