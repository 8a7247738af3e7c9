"""What one environment looks like: live, next, drift; see shapes.py."""

from typing import Literal

from pydantic import BaseModel

from service.api.shapes.environments import Environment
from service.api.shapes.runs import Time, Url
from workers.ledger.model.observation import Difference, Live
from workers.ledger.model.run import State


class Recorded(BaseModel):
    """What Slipway made live, when, by which run; `commits` if the version stands for several."""

    version: str
    commit: str
    commits: list[str] = []
    sha256: str | None
    since: Time
    run_id: str
    run_url: Url


class Next(BaseModel):
    """What the head of the branch would make live; `text` says what has become of it."""

    commit: str | None
    run_id: str | None
    state: State | None
    text: str


class Function(BaseModel):
    """One function: `live` is what AWS has, `differs` what about it is not as recorded.

    `not_repaired` says why what differs could not be put back, where the operator wants that.
    `observed` is false where no worker has looked since the latest release, could not ask, or a
    run is releasing it.
    """

    function: str
    repository: str
    record: Recorded
    live: Live | None
    releasing: str | None
    fault: str | None
    observed: bool
    differs: list[Difference]
    not_repaired: str | None
    next: Next


class Branch(BaseModel):
    """The head of one branch, and the run that deploys it here."""

    repository: str
    branch: str
    commit: str | None
    fault: str | None
    run_id: str | None
    state: State | None


class CodeStorage(BaseModel):
    """Lambda's code storage of the account and region, in bytes."""

    used: int
    limit: int
    percent: float | None
    filling: bool
    region: str


class Unpruned(BaseModel):
    """A function whose old versions could not be deleted; `at` is when that was found last."""

    function: str
    why: str
    at: Time


class Plan(Environment):
    """One environment; `refreshing`: a newer look was asked for and has not come yet.

    `code_storage_fault` says that AWS does not let Slipway read the code storage.
    """

    drift: Literal["report", "repair"]
    keep_versions: int
    observed_at: Time | None
    age_seconds: float | None
    refreshing: bool
    functions: list[Function]
    branches_at: list[Branch]
    code_storage: CodeStorage | None
    code_storage_fault: str | None
    unpruned: list[Unpruned]
