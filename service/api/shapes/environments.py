"""What answers about environments look like; see shapes.py."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.api.shapes.runs import Release, Time, Url


class Lock(BaseModel):
    """Who has locked an environment or rolled it back, and why."""

    kind: Literal["lock", "rollback"]
    by: str
    reason: str
    at: Time
    expires_at: Time | None
    run_id: str | None
    commit: str | None


class Environment(BaseModel):
    """An environment of the operator's; `held` are the runs that wait for it to be unlocked."""

    name: str
    branches: list[str]
    alias: str
    approval: bool
    locked: Lock | None
    held: list[str]


class Environments(BaseModel):
    """All environments."""

    environments: list[Environment]


class WentBack(BaseModel):
    """By whom and why something was rolled back, and from which commit."""

    model_config = ConfigDict(populate_by_name=True)

    by: str
    from_: str | None = Field(alias="from")
    function: str | None
    reason: str


class Released(BaseModel):
    """What was made live, one function a row; a site's row has its bucket as `site` instead.

    `commits`, where the version stands for several, with the one that it bears in AWS first.
    `pruned`: the version was deleted since. `event`: an alias was put back to what it is. `run`
    is `run_id` by its first name.
    """

    function: str | None
    version: str | None
    alias: str | None
    sha256: str | None
    commit: str
    commits: list[str] = []
    repository: str
    run_id: str
    run: str
    site: str | None
    rollback: WentBack | None
    pruned: bool
    event: Literal["repaired"] | None
    at: Time


class Releases(BaseModel):
    """What was made live in an environment, newest first."""

    releases: list[Released]


class RolledBack(BaseModel):
    """The run that goes back, and what to."""

    run_id: str
    environment: str
    repository: str
    commit: str
    releases: list[Release]
    locked: Lock | None
    repositories: int
    url: Url


class Locked(BaseModel):
    """An environment is locked."""

    environment: str
    locked: Lock


class Offered(BaseModel):
    """A run that was held."""

    run_id: str
    repository: str
    commit: str
    url: Url


class Unlocked(BaseModel):
    """An environment is unlocked; its held runs go live, or ended if `released` is false."""

    environment: str
    locked: None
    was: Lock
    released: bool
    runs: list[Offered]


class Taken(BaseModel):
    """An alias or a site that belongs to another repository now; `from` had it before."""

    model_config = ConfigDict(populate_by_name=True)

    environment: str
    name: str
    repository_id: int
    from_: str | None = Field(alias="from")
    refused_run_id: str


class TakenOver(BaseModel):
    """What a repository has taken over, and by whose word.

    With none, what it would be refused within a day is taken over then.
    """

    repository: str
    by: str
    taken: list[Taken]
