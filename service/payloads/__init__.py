"""GitHub's payloads as GitHub documents them, so that a wrong type anywhere in them is found.

Few of these members are read, all by `service/events.py`. One is required only where an order needs
it, and may be null where GitHub's own schema says so. Others than these may have any value.

Source: https://github.com/octokit/webhooks, and "Webhook events and payloads" in GitHub's
documentation.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast

from service.payloads.parts import (
    Installation,
    Number,
    Owner,
    Person,
    PushedCommit,
    Ref,
    Team,
    Thing,
    User,
)
from service.payloads.pull_request import Label, Milestone, PullRequest
from service.payloads.repository import Repository
from workers.order import Commit


class Event(BaseModel):
    """What all events have in common."""

    model_config = ConfigDict(strict=True, frozen=True)

    repository: Repository
    sender: User | None = None
    organization: Owner = Owner()
    installation: Installation = Installation()


class Push(Event):
    """The event `push`."""

    ref: Ref
    before: str = ""
    after: Commit
    created: bool = False
    deleted: bool = False
    forced: bool = False
    base_ref: Ref | None = None
    compare: str = ""
    commits: Annotated[tuple[PushedCommit, ...], FailFast()] = ()
    head_commit: PushedCommit | None = None
    pusher: Person | None = None


class PullRequestEvent(Event):
    """The event `pull_request`."""

    action: str
    number: Number
    pull_request: PullRequest
    before: str = ""
    after: str = ""
    assignee: User | None = None
    label: Label | None = None
    milestone: Milestone | None = None
    requested_reviewer: User | None = None
    requested_team: Team | None = None
    changes: Thing | None = None
    reason: str | None = None
