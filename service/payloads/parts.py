"""Numbers, texts, accounts and commits, as they stand in GitHub's payloads."""

from typing import Annotated, Required

from pydantic import FailFast, Field, StringConstraints

# Not typing's own: https://docs.pydantic.dev/latest/errors/usage_errors/#typed-dict-version
from typing_extensions import TypedDict

MOST = 2**63

Count = Annotated[int, Field(ge=0, lt=MOST)]
Number = Annotated[int, Field(ge=1, lt=MOST)]
Ref = Annotated[str, StringConstraints(max_length=1024)]
Login = Annotated[str, StringConstraints(max_length=100)]
FullName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[\w.-]+$", max_length=200)
]
Address = Annotated[str, StringConstraints(max_length=2048)]
# Without it, each wrong text of a million would be an error of its own.
Texts = Annotated[list[str], FailFast()]
# Seconds since 1970 in a push, ISO 8601 elsewhere.
Time = Annotated[Count | str, Field(union_mode="left_to_right")]


class Thing(TypedDict):
    """An object of which nothing matters here."""


class Account(TypedDict, total=False):
    """A person, a bot or an organization."""

    id: Number
    node_id: str
    name: str
    email: str | None
    description: str | None
    avatar_url: str
    gravatar_id: str | None
    url: str
    html_url: str
    followers_url: str
    following_url: str
    gists_url: str
    starred_url: str
    subscriptions_url: str
    organizations_url: str
    repos_url: str
    events_url: str
    received_events_url: str
    hooks_url: str
    issues_url: str
    members_url: str
    public_members_url: str
    type: str
    user_view_type: str
    site_admin: bool


class User(Account):
    """An account that has a login."""

    login: Required[Login]


class Owner(Account, total=False):
    """An account that may lack a login: old servers leave it out of a push's repository."""

    login: Login


class Team(Account, total=False):
    """A team, or a person where either may stand."""

    login: Login
    slug: str
    privacy: str
    permission: str
    notification_setting: str
    members_url: str
    repositories_url: str
    parent: Thing | None
    deleted: bool


class Person(TypedDict, total=False):
    """Somebody as git knows them."""

    name: str
    email: str | None
    username: str
    date: str


class PushedCommit(TypedDict, total=False):
    """A commit of a push."""

    id: str
    tree_id: str
    distinct: bool
    message: str
    timestamp: str
    url: str
    author: Person
    committer: Person
    added: Texts
    removed: Texts
    modified: Texts


class Installation(TypedDict, total=False):
    """An App's installation."""

    id: Number
    node_id: str
