"""A pull request, as it stands in GitHub's payloads."""

from typing import Annotated, Required

from pydantic import FailFast
from typing_extensions import TypedDict

from service.payloads.parts import Count, Number, Ref, Team, User
from service.payloads.repository import SideRepository
from workers.order import Commit


class Label(TypedDict, total=False):
    """A label."""

    id: Number
    node_id: str
    url: str
    name: str
    description: str | None
    color: str
    default: bool


class Milestone(TypedDict, total=False):
    """A milestone."""

    id: Number
    node_id: str
    number: Number
    url: str
    html_url: str
    labels_url: str
    title: str
    description: str | None
    state: str
    creator: User | None
    open_issues: Count
    closed_issues: Count
    created_at: str
    updated_at: str
    closed_at: str | None
    due_on: str | None


class AutoMerge(TypedDict, total=False):
    """What merges by itself, and how."""

    enabled_by: User | None
    merge_method: str
    commit_title: str | None
    commit_message: str | None


class Link(TypedDict, total=False):
    """An address."""

    href: str


class Links(TypedDict, total=False):
    """A pull request's addresses, once more."""

    self: Link
    html: Link
    issue: Link
    comments: Link
    review_comments: Link
    review_comment: Link
    commits: Link
    statuses: Link


class Side(TypedDict, total=False):
    """A pull request's head or base; one whose repository is gone has none."""

    label: str | None
    ref: Required[Ref]
    sha: Required[Commit]
    user: User | None
    repo: Required[SideRepository | None]


class PullRequest(TypedDict, total=False):
    """A pull request."""

    id: Number
    node_id: str
    number: Number
    url: str
    html_url: str
    diff_url: str
    patch_url: str
    issue_url: str
    commits_url: str
    review_comments_url: str
    review_comment_url: str
    comments_url: str
    statuses_url: str
    _links: Links
    state: str
    locked: bool
    active_lock_reason: str | None
    title: str
    body: str | None
    draft: bool
    user: User | None
    author_association: str
    assignee: User | None
    assignees: Annotated[list[User | None], FailFast()]
    requested_reviewers: Annotated[list[Team | None], FailFast()]
    requested_teams: Annotated[list[Team], FailFast()]
    labels: Annotated[list[Label], FailFast()]
    milestone: Milestone | None
    head: Required[Side]
    base: Required[Side]
    created_at: str
    updated_at: str
    closed_at: str | None
    merged_at: str | None
    merged: bool | None
    merged_by: User | None
    merge_commit_sha: Commit | None
    mergeable: bool | None
    rebaseable: bool | None
    mergeable_state: str
    auto_merge: AutoMerge | None
    maintainer_can_modify: bool
    comments: Count
    review_comments: Count
    commits: Count
    additions: Count
    deletions: Count
    changed_files: Count
