"""A repository, as it stands in GitHub's payloads."""

from typing import Required

from typing_extensions import TypedDict

from service.payloads.parts import Address, Count, FullName, Number, Owner, Ref, Texts, Thing, Time


class License(TypedDict, total=False):
    """A repository's license."""

    key: str
    name: str
    spdx_id: str | None
    url: str | None
    node_id: str


class Permissions(TypedDict, total=False):
    """What the hook's owner may do in a repository."""

    admin: bool
    maintain: bool
    push: bool
    triage: bool
    pull: bool


class Described(TypedDict, total=False):
    """All of a repository that no order needs."""

    node_id: str
    name: str
    private: bool
    owner: Owner | None
    html_url: str
    description: str | None
    fork: bool
    url: str
    forks_url: str
    keys_url: str
    collaborators_url: str
    teams_url: str
    hooks_url: str
    issue_events_url: str
    events_url: str
    assignees_url: str
    branches_url: str
    tags_url: str
    blobs_url: str
    git_tags_url: str
    git_refs_url: str
    trees_url: str
    statuses_url: str
    languages_url: str
    stargazers_url: str
    contributors_url: str
    subscribers_url: str
    subscription_url: str
    commits_url: str
    git_commits_url: str
    comments_url: str
    issue_comment_url: str
    contents_url: str
    compare_url: str
    merges_url: str
    archive_url: str
    downloads_url: str
    issues_url: str
    pulls_url: str
    milestones_url: str
    notifications_url: str
    labels_url: str
    releases_url: str
    deployments_url: str
    git_url: str
    ssh_url: str
    svn_url: str
    mirror_url: str | None
    homepage: str | None
    language: str | None
    license: License | None
    created_at: Time
    updated_at: str
    pushed_at: Time | None
    size: Count
    stargazers: Count
    stargazers_count: Count
    watchers: Count
    watchers_count: Count
    forks: Count
    forks_count: Count
    open_issues: Count
    open_issues_count: Count
    has_issues: bool
    has_projects: bool
    has_downloads: bool
    has_wiki: bool
    has_pages: bool
    has_discussions: bool
    archived: bool
    disabled: bool
    is_template: bool
    public: bool
    allow_forking: bool
    web_commit_signoff_required: bool
    visibility: str
    default_branch: Ref
    master_branch: Ref | None
    organization: str
    topics: Texts
    permissions: Permissions
    custom_properties: Thing


class Repository(Described):
    """The repository that a delivery is about."""

    id: Required[Number]
    full_name: Required[FullName]
    clone_url: Required[Address]


class SideRepository(Described, total=False):
    """The repository of one side of a pull request."""

    id: Required[Number]
    full_name: FullName
    clone_url: Address
