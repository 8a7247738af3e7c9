"""The things that the stand-in keeps, as values that also travel to its client."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

TOKEN = "stand-in-token"
LOGIN = "octocat"
ZEROS = "0" * 40


class StandInError(Exception):
    """A test asked the stand-in for something that it cannot do."""


def now() -> str:
    """The time as GitHub's API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Repository:
    """One repository; `parent` is the full name of what it is a fork of."""

    id: int
    full_name: str
    clone_url: str
    default_branch: str = "master"
    private: bool = True
    parent: str | None = None
    created_at: str = field(default_factory=now)

    @property
    def owner(self) -> str:
        """The login before the slash."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """The name after the slash."""
        return self.full_name.partition("/")[2]


@dataclass(frozen=True)
class PullRequest:
    """A pull request as it was when a helper returned it; ask again for a newer one."""

    number: int
    id: int
    repository: str
    title: str
    head_repository: str
    head_branch: str
    head_sha: str
    base_branch: str
    base_sha: str
    state: str = "open"
    merged: bool = False
    merge_commit_sha: str | None = None
    created_at: str = field(default_factory=now)
    closed_at: str | None = None


@dataclass(frozen=True)
class Status:
    """One commit status."""

    id: int
    repository: str
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: str
    created_at: str = field(default_factory=now)


@dataclass
class Hook:
    """One webhook of a repository."""

    id: int
    repository: str
    url: str
    secret: str | None = None
    content_type: str = "form"
    insecure_ssl: str = "0"
    events: list[str] = field(default_factory=lambda: ["push"])
    active: bool = True
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    last_response: dict[str, Any] = field(
        default_factory=lambda: {"code": None, "status": "unused", "message": None}
    )

    def wants(self, event: str) -> bool:
        """Whether an event of this name is sent to it."""
        return self.active and (event == "ping" or event in self.events or "*" in self.events)


@dataclass(frozen=True)
class Delivery:
    """One webhook POST and what came back.

    When nothing came back, `status_code` is 502 (no connection) or 504 (timed out), as GitHub lists
    it, and `response_headers` is empty.
    """

    id: int
    guid: str
    hook_id: int
    event: str
    action: str | None
    repository: str | None
    url: str
    delivered_at: str
    duration: float
    redelivery: bool
    status: str
    status_code: int
    request_headers: dict[str, str]
    payload: Any
    body: bytes
    response_headers: dict[str, str]
    response_body: str

    @property
    def ok(self) -> bool:
        """Whether the receiver answered with a 2xx."""
        return 200 <= self.status_code < 300

    def json(self) -> Any:
        """The answer's body, read as JSON."""
        return json.loads(self.response_body)
