"""Whole payloads of a push and of a pull request, with every member that GitHub documents."""

from copy import deepcopy

from benchmarks.deliveries import REPOSITORY, push

HEAD = "b" * 40
API = "https://api.github.com/repos/watchlist/movies-loader"
WEB = "https://github.com/watchlist/movies-loader"
_ACCOUNT = (
    "avatar html followers following gists starred subscriptions organizations repos events"
    " received_events hooks issues members public_members"
)
_REPOSITORY = (
    "forks keys collaborators teams hooks issue_events events assignees branches tags blobs"
    " git_tags git_refs trees statuses languages stargazers contributors subscribers subscription"
    " commits git_commits comments issue_comment contents compare merges archive downloads issues"
    " pulls milestones notifications labels releases deployments git ssh svn"
)
_PULL = "html diff patch issue commits review_comments review_comment comments statuses"
_LINKS = "self html issue comments review_comments review_comment commits statuses"
_FLAGS = (
    "has_issues has_projects has_downloads has_wiki has_pages has_discussions archived disabled"
    " is_template public allow_forking web_commit_signoff_required"
)
_COUNTS = (
    "size stargazers stargazers_count watchers watchers_count forks forks_count open_issues"
    " open_issues_count"
)


def urls(names: str) -> dict[str, str]:
    """Addresses by their names."""
    return {f"{name.removesuffix('s_')}_url": f"{API}/{name}" for name in names.split()} | {
        "url": API
    }


def account(login: str = "octocat") -> dict:
    """A user or an organization."""
    words = {"node_id": "U_1", "name": "Mona", "email": "mona@example.com", "description": "A cat"}
    more = {"gravatar_id": "", "type": "User", "user_view_type": "public", "site_admin": False}
    return {"login": login, "id": 583231, **words, **urls(_ACCOUNT), **more}


def team() -> dict:
    """A team."""
    words = dict.fromkeys(("node_id", "slug", "privacy", "permission", "notification_setting"), "x")
    more = {"members_url": API, "repositories_url": API, "parent": {"id": 4}, "deleted": False}
    return {"id": 3, "name": "Loaders", "description": "All", "url": API, **words, **more}


def repository() -> dict:
    """A repository."""
    return {
        "id": 1296269,
        "node_id": "R_1",
        "name": "movies-loader",
        "full_name": REPOSITORY,
        "clone_url": f"{WEB}.git",
        "html_url": WEB,
        "mirror_url": WEB,
        **urls(_REPOSITORY),
        **dict.fromkeys(_FLAGS.split(), False),
        **dict.fromkeys(_COUNTS.split(), 0),
        "private": True,
        "fork": False,
        "owner": account("watchlist"),
        "description": "Loads movies",
        "homepage": WEB,
        "language": "Python",
        "license": {"key": "mit", "name": "MIT", "spdx_id": "MIT", "url": API, "node_id": "L_1"},
        "created_at": 1296068472,
        "updated_at": "2026-03-04T11:00:00Z",
        "pushed_at": 1772622000,
        "visibility": "private",
        "default_branch": "develop",
        "master_branch": "develop",
        "organization": "watchlist",
        "topics": ["python"],
        "permissions": dict.fromkeys(("admin", "maintain", "push", "triage", "pull"), True),
        "custom_properties": {"team": "loaders"},
    }


def common() -> dict:
    """What both events have."""
    return {
        "repository": repository(),
        "sender": account(),
        "organization": account("watchlist"),
        "installation": {"id": 12, "node_id": "I_1"},
    }


def whole_push() -> dict:
    """A push of one commit."""
    payload = deepcopy(push(HEAD)) | common()
    for commit in (payload["head_commit"], *payload["commits"]):
        commit["author"] = commit["author"] | {"date": "2026-03-04T11:00:00Z"}
        commit |= {"added": ["a.py"], "removed": ["b.py"], "modified": ["c.py"]}
    payload["pusher"] = payload["pusher"] | {"username": "octocat", "date": "2026-03-04T11:00:00Z"}
    return payload | {"base_ref": "refs/heads/master"}


def side(ref: str, sha: str) -> dict:
    """One side of a pull request."""
    label = f"watchlist:{ref}"
    return {"label": label, "ref": ref, "sha": sha, "user": account(), "repo": repository()}


def label() -> dict:
    """A label."""
    words = {
        "node_id": "L_2",
        "url": API,
        "name": "bug",
        "description": "Broken",
        "color": "ff0000",
    }
    return {"id": 9, **words, "default": True}


def milestone() -> dict:
    """A milestone."""
    words = ("node_id", "url", "html_url", "labels_url", "title", "description", "state")
    times = ("created_at", "updated_at", "closed_at", "due_on")
    numbers = {"id": 8, "number": 1, "open_issues": 4, "closed_issues": 8}
    return {**dict.fromkeys((*words, *times), "x"), **numbers, "creator": account()}


def whole_pull_request() -> dict:
    """A pull request that was opened, with more set than one event ever has."""
    flags = ("locked", "draft", "merged", "mergeable", "rebaseable", "maintainer_can_modify")
    counts = ("comments", "review_comments", "commits", "additions", "deletions", "changed_files")
    words = ("node_id", "state", "active_lock_reason", "title", "body", "author_association")
    times = ("created_at", "updated_at", "closed_at", "merged_at", "mergeable_state")
    pull = {
        "id": 191568743,
        "number": 3,
        **urls(_PULL),
        **dict.fromkeys((*words, *times), "x"),
        **dict.fromkeys(flags, False),
        **dict.fromkeys(counts, 0),
        "_links": {name: {"href": API} for name in _LINKS.split()},
        "user": account(),
        "assignee": account(),
        "assignees": [account()],
        "requested_reviewers": [account()],
        "requested_teams": [team()],
        "labels": [label()],
        "milestone": milestone(),
        "head": side("feature", HEAD),
        "base": side("develop", "c" * 40),
        "merged_by": account(),
        "merge_commit_sha": "d" * 40,
        "auto_merge": {
            "enabled_by": account(),
            "merge_method": "squash",
            "commit_title": "Load",
            "commit_message": "All",
        },
    }
    return {
        "action": "opened",
        "number": 3,
        "pull_request": pull,
        "before": "c" * 40,
        "after": HEAD,
        "assignee": account(),
        "label": label(),
        "milestone": milestone(),
        "requested_reviewer": account(),
        "requested_team": team(),
        "changes": {"title": {"from": "Lod"}},
        "reason": "x",
        **common(),
    }
