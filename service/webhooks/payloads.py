"""The members of GitHub's payloads that are read, each with its type and its bounds.

All others may be missing or of any type: GitHub adds, drops and nulls members as it likes, and what
nobody reads must not cost a delivery.

Source: "Webhook events and payloads" in GitHub's documentation.
"""

from typing import Annotated, Any, NotRequired, Required

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Not typing's own: https://docs.pydantic.dev/latest/errors/usage_errors/#typed-dict-version
from typing_extensions import TypedDict

from workers.ledger.model.order import Commit

MOST = 2**63

Number = Annotated[int, Field(ge=1, lt=MOST)]
Ref = Annotated[str, StringConstraints(max_length=1024)]
Login = Annotated[str, StringConstraints(max_length=100)]
FullName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[\w.-]+$", max_length=200)
]
# Nothing is looked up by it: what is no commit is merely no help.
Earlier = Annotated[str, StringConstraints(max_length=64)]
Address = Annotated[str, StringConstraints(max_length=2048)]


class Repository(TypedDict):
    """The repository that a delivery is about."""

    id: Number
    full_name: FullName
    clone_url: Address


class User(TypedDict):
    """Who caused a delivery, or made or merged a pull request; the type says if it is a bot."""

    login: Login
    type: NotRequired[str | None]


class SideRepository(TypedDict):
    """The repository of one side of a pull request."""

    id: Number


class Head(TypedDict):
    """What a pull request would merge; a head whose repository is gone has none."""

    ref: Ref
    sha: Commit
    repo: SideRepository | None


class Base(TypedDict):
    """What a pull request would be merged into."""

    ref: Ref
    repo: SideRepository | None


class PullRequest(TypedDict, total=False):
    """A pull request."""

    head: Required[Head]
    base: Required[Base]
    merged: bool | None
    merge_commit_sha: Commit | None
    user: User | None
    merged_by: User | None


class Event(BaseModel):
    """What all events have in common."""

    model_config = ConfigDict(strict=True, frozen=True)

    repository: Repository
    sender: User | None = None


class Push(Event):
    """The event `push`."""

    ref: Ref
    after: Commit
    before: Earlier | None = None
    deleted: bool = False
    forced: bool | None = None


class PullRequestEvent(Event):
    """The event `pull_request`."""

    action: str
    number: Number
    pull_request: PullRequest
    changes: Any = None
