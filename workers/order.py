"""What a delivery asks for, as a frozen value."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Commit = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
Purpose = Literal["check", "deploy"]


class PullRequest(BaseModel):
    """The pull request that an order belongs to."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    number: int
    head: Commit


class Order(BaseModel):
    """One commit of one repository to check, or to deploy to one environment."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    repository: str
    repository_id: int
    clone_url: str
    ref: str
    commit: Commit
    purpose: Purpose
    environment: str | None = None
    pull_request: PullRequest | None = None
    sender: str | None = Field(default=None, description="the GitHub login that caused it")

    @property
    def branch(self) -> str:
        """The ref without `refs/heads/`."""
        return self.ref.removeprefix("refs/heads/")

    @property
    def key(self) -> str:
        """What makes two orders the same one: repository, environment or check, and commit."""
        return f"{self.repository_id}:{self.environment or 'check'}:{self.commit}"
