"""What answers look like: read by nothing but the OpenAPI document and its test."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from workers.ledger.model.order import Purpose, Rollback
from workers.ledger.model.run import StageState, State, Tests, Untidy

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]


class Problem(BaseModel):
    """An error: RFC 9457."""

    type: str
    title: str
    status: int
    detail: str


class Stage(BaseModel):
    """One stage of a run."""

    name: str
    state: StageState
    started_at: Time | None
    finished_at: Time | None
    error: str | None
    summary: str | None


class Check(BaseModel):
    """How one check ended; `run` is the earlier run in which it passed, if it was not run again."""

    name: str
    exit_code: int
    seconds: float
    timed_out: bool
    tests: Tests | None
    note: str | None
    run: str | None


class CheckReport(BaseModel):
    """The HTML report of a check; `url` is null for one that only S3 has."""

    check: str
    url: Url | None
    files: int
    size: int
    archive: str | None


class Shift(BaseModel):
    """One function of a gradual release."""

    function: str
    before: str | None
    version: str
    gradual: bool


class Rollout(BaseModel):
    """How far a gradual release is."""

    strategy: str
    alias: str
    state: Literal["moving", "done", "undone", "left"]
    step: int
    steps: int
    percent: int
    since: Time | None
    next_at: Time | None
    functions: list[Shift]
    put_back_because: str | None
    left: list[str]


class Untold(BaseModel):
    """Somebody who could not be told of a run; `archive` is the bucket of its log."""

    channel: Literal["github", "slack", "email", "archive"]
    why: str


class Base(BaseModel):
    """Where a pull request would go: its base, and the environment of that, if it has one."""

    branch: str
    environment: str | None


class Release(BaseModel):
    """What one function runs; `sha256` as Lambda's CodeSha256."""

    function: str
    version: str | None
    alias: str | None
    sha256: str | None


class Shared(BaseModel):
    """A version that stands for several commits, the one that it bears in AWS first."""

    function: str
    version: str | None
    commits: list[str]


class Run(BaseModel):
    """A run, as lists show it."""

    id: str
    repository: str
    ref: str
    commit: str
    purpose: Purpose
    environment: str | None
    pull_request: int | None
    base: Base | None
    rollback: Rollback | None
    state: State
    held: str | None
    stages: list[Stage]
    releases: list[Release]
    shared: list[Shared]
    rollout: Rollout | None
    checks: list[Check]
    reports: list[CheckReport]
    error: str | None
    untold: list[Untold]
    untidy: list[Untidy]
    delivery: str | None
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    url: Url
    log_url: Url


class Vote(BaseModel):
    """One person's word."""

    who: str
    verdict: Literal["approve", "reject"]
    at: Time
    origin: str
    note: str


class Approval(BaseModel):
    """What people are asked about a run."""

    required: int | None
    approvers: list[str]
    missing: int
    alias: str
    votes: list[Vote]
    expires_at: Time | None
    commit: str
    sha256: str | None


class WholeRun(Run):
    """A run, with what people are asked about it."""

    approval: Approval | None


class Runs(BaseModel):
    """A page of runs."""

    runs: list[Run]
    cursor: str | None


class Counted(BaseModel):
    """A word was counted."""

    state: Literal["counted"]
    verdict: Literal["approve", "reject"]
    missing: int


class Cancelled(BaseModel):
    """What became of the wish to end a run."""

    state: Literal["asked", "cancelled"]


class Repeated(BaseModel):
    """The new run of an order."""

    run_id: str
    url: Url


class Task(BaseModel):
    """A queued task, and its run."""

    id: str
    name: str | None
    state: str | None
    queued_at: Time | None
    started_at: Time | None
    finished_at: Time | None
    worker: str | None
    outcome: str | None
    run_id: str | None
    run: Run | None


class Accepted(BaseModel):
    """A delivery became a run."""

    run_id: str
    task_id: str
    status_url: Url


class Ignored(BaseModel):
    """Why a delivery made no run; a repeat names the run that there is."""

    ignored: str
    run_id: str = ""
    task_id: str = ""
    status_url: Url = ""


class Woken(BaseModel):
    """The run that goes on."""

    run_id: str


class Pressed(BaseModel):
    """What Slack shows to whoever pressed."""

    response_type: Literal["ephemeral"]
    replace_original: bool
    text: str


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"]
