"""The REST API for repositories, commits, statuses and pull requests."""

import re
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request

from tests.stand_ins.github import payloads
from tests.stand_ins.github.git import FULL_SHA, Git
from tests.stand_ins.github.model import PullRequest, StandInError
from tests.stand_ins.github.payloads import JSON
from tests.stand_ins.github.web import ApiError, body, hub, invalid, links, paged, repository

LONGEST_DESCRIPTION = 140
LONGEST_CONTEXT = 255
MOST_STATUSES = 1000
STATES = ("error", "failure", "pending", "success")
BEYOND_BMP = 0xFFFF

routes = Blueprint("rest", __name__, url_prefix="/repos/<owner>/<name>")


@routes.get("")
def show_repository(owner: str, name: str) -> Response:
    """One repository."""
    return jsonify(payloads.repository(repository(owner, name)[0], links()))


@routes.get("/branches")
def list_branches(owner: str, name: str) -> Response:
    """Its branches."""
    refs = repository(owner, name)[1].refs()
    heads = [ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")]
    return paged(heads, lambda branch: _branch(owner, name, branch, whole=False))


@routes.get("/branches/<path:branch>")
def show_branch(owner: str, name: str, branch: str) -> Response:
    """One branch and its head."""
    return jsonify(_branch(owner, name, branch, whole=True))


def _branch(owner: str, name: str, branch: str, *, whole: bool) -> JSON:
    repo, git = repository(owner, name)
    sha = git.commit_id(f"refs/heads/{branch}")
    if sha is None:
        raise ApiError(404, "Branch not found")
    commit = payloads.commit(git, repo, sha, links())
    url = f"{links().api}/repos/{repo.full_name}/branches/{branch}"
    if not whole:
        return {
            "name": branch,
            "commit": {"sha": sha, "url": commit["url"]},
            "protected": False,
        }
    return {
        "name": branch,
        "commit": commit,
        "_links": {"self": url, "html": f"{links().web}/{repo.full_name}/tree/{branch}"},
        "protected": False,
        "protection": {"enabled": False},
        "protection_url": f"{url}/protection",
    }


@routes.get("/commits")
def list_commits(owner: str, name: str) -> Response:
    """The commits that lead to `sha`, a branch or a commit, newest first."""
    repo, git = repository(owner, name)
    sha = _commit_id(git, request.args.get("sha", repo.default_branch))
    if sha is None:
        raise ApiError(404, "Not Found")
    found = git.run("rev-list", "--max-count=100", sha).split()
    return paged(found, lambda one: payloads.commit(git, repo, one, links()))


@routes.get("/commits/<path:ref>")
def show_commit(owner: str, name: str, ref: str) -> Response:
    """One commit, or with `/status` or `/statuses` behind it what is known about it."""
    repo, git = repository(owner, name)
    # A ref may have slashes in it, so the last word of the path is told apart by hand.
    ref, _, last = ref.rpartition("/") if ref.endswith(("/status", "/statuses")) else (ref, "", "")
    sha = _commit_id(git, ref)
    if sha is None:
        raise ApiError(
            404 if last else 422, "Not Found" if last else f"No commit found for SHA: {ref}"
        )
    if last == "statuses":
        rows = list(reversed(hub().statuses(repo.full_name, sha)))
        return paged(rows, lambda row: payloads.status(row, links()))
    if last == "status":
        latest = list(hub().latest(repo.full_name, sha).values())
        return jsonify(payloads.combined_status(repo, sha, latest, links()))
    return jsonify(payloads.commit(git, repo, sha, links()))


@routes.get("/statuses/<path:ref>")
def list_statuses(owner: str, name: str, ref: str) -> Response:
    """The statuses of a commit, newest first; the old address of `commits/…/statuses`."""
    return show_commit(owner, name, f"{ref}/statuses")


@routes.post("/statuses/<sha>")
def create_status(owner: str, name: str, sha: str) -> tuple[Response, int]:
    """Put a status on a commit.

    The rules are those of docs.github.com/rest/commits/statuses and of what GitHub answers to
    breaches: zalando/zappr#378 (length), unicode-org/jira-github-pr-check#28 (emoji).
    """
    repo, git = repository(owner, name)
    given = body()
    _check_status(given)
    if len(sha) != FULL_SHA or git.commit_id(sha) != sha:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    context = given.get("context") or "default"
    posted = [one for one in hub().statuses(repo.full_name, sha) if one.context == context]
    if len(posted) >= MOST_STATUSES:
        raise invalid(
            "Status", "context", "This SHA and context has reached the maximum number of statuses."
        )
    status = hub().add_status(
        repo.full_name,
        sha,
        given["state"],
        context,
        given.get("description"),
        given.get("target_url"),
    )
    response = jsonify(payloads.status(status, links()))
    response.headers["Location"] = f"{links().api}/repos/{repo.full_name}/statuses/{status.id}"
    return response, 201


def _check_status(given: JSON) -> None:
    for field in ("state", "context", "description", "target_url"):
        if not isinstance(given.get(field), str | None):
            raise ApiError(422, f"Invalid request.\n\nFor '{field}', not a string.")
    state, url = given.get("state"), given.get("target_url")
    if state is None:
        raise invalid("Status", "state", "state is required", "missing_field")
    if state not in STATES:
        raise invalid("Status", "state", "State is not included in the list")
    text = given.get("description") or ""
    if len(text) > LONGEST_DESCRIPTION:
        raise invalid(
            "Status", "description", "description is too long (maximum is 140 characters)"
        )
    if any(ord(letter) > BEYOND_BMP for letter in text):
        raise invalid("Status", "description", "description doesn't accept 4-byte Unicode")
    if len(given.get("context") or "") > LONGEST_CONTEXT:
        raise invalid("Status", "context", "context is too long (maximum is 255 characters)")
    if url and urlsplit(url).scheme not in {"http", "https"}:
        raise invalid("Status", "target_url", "target_url must use http(s) scheme")


@routes.get("/pulls")
def list_pulls(owner: str, name: str) -> Response:
    """Its pull requests, newest first: the open ones, unless `state` asks for others."""
    repo, _ = repository(owner, name)
    state = request.args.get("state", "open")
    pulls = [one for one in hub().pull_requests(repo.full_name) if state in (one.state, "all")]
    return paged(pulls[::-1], _pull)


@routes.get("/pulls/<int:number>")
def show_pull(owner: str, name: str, number: int) -> Response:
    """One pull request."""
    repo, _ = repository(owner, name)
    try:
        return jsonify(_pull(hub().pull_request(repo.full_name, number)))
    except StandInError:
        raise ApiError(404, "Not Found") from None


def _pull(pull: PullRequest) -> JSON:
    repos = hub().repository(pull.repository), hub().repository(pull.head_repository)
    return payloads.pull_request(pull, repos, links())


def _commit_id(git: Git, ref: str) -> str | None:
    if re.fullmatch(r"[0-9a-f]{4,40}", ref):
        return git.commit_id(ref) or git.commit_id(f"refs/heads/{ref}")
    return git.commit_id(f"refs/{ref}") or next(
        (sha for kind in ("heads", "tags") if (sha := git.commit_id(f"refs/{kind}/{ref}"))), None
    )
