"""What a delivery asks for, as a frozen value."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from workers.ledger.model.masked import Shown

Commit = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
Purpose = Literal["check", "deploy", "rollback"]


class PullRequest(BaseModel):
    """The pull request that an order belongs to, and the environment of its base, if it has one."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    number: int
    head: Commit
    base: str | None = Field(default=None, description="the branch that it would go into")
    environment: str | None = None
    closed: bool = Field(default=False, description="without a merge: there is nothing to run")


class Rollback(BaseModel):
    """What a rollback is for beside its commit: one function or all of them, and why."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    function: str | None = None
    reason: Shown = ""


class Source(BaseModel):
    """Where an order's commits come from."""

    model_config = ConfigDict(frozen=True)

    repository: str
    repository_id: int
    clone_url: str
    ref: str


class Order(BaseModel):
    """One commit of one repository to check, to deploy to an environment, or to go back to."""

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
    people: tuple[str, ...] = Field(
        default=(), description="the logins of those whose change a deploy is; no bots"
    )
    rollback: Rollback | None = None
    before: str = Field(default="", exclude=True, description="where a push found its branch")
    forced: bool = Field(default=False, exclude=True, description="a push that took commits away")

    @property
    def source(self) -> Source:
        """Where its commit comes from."""
        return Source.model_validate(self.model_dump(include=set(Source.model_fields)))

    @property
    def branch(self) -> str:
        """The ref without `refs/heads/`."""
        return self.ref.removeprefix("refs/heads/")

    @property
    def key(self) -> str:
        """What makes two orders the same one: repository, purpose, environment, commit."""
        if self.rollback:
            what = f"{self.commit}:{self.rollback.function or '*'}"
            return f"{self.repository_id}:{self.environment}:rollback:{what}"
        return key_of(self.repository_id, self.purpose, self.target, self.commit)

    @property
    def target(self) -> str | None:
        """The environment that it builds for: a check goes nowhere, and builds as for its base."""
        if self.purpose == "check" and self.pull_request:
            return self.pull_request.environment
        return self.environment


def key_of(repository_id: int, purpose: Purpose, environment: str | None, commit: str) -> str:
    """What makes two orders the same one; without the purpose, a check would be a deploy's."""
    return f"{repository_id}:{purpose}:{environment or ''}:{commit}"
