"""What a worker saw of an environment: aliases in AWS, heads of branches, and how full AWS is."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from workers.ledger.model.masked import Shown

Kind = Literal["moved", "weights", "alias deleted", "function deleted", "other code"]


FULL = 0.8
"""The share of the code storage from which on it is too much."""


class Frozen(BaseModel):
    """A value."""

    model_config = ConfigDict(frozen=True)


class Recorded(Frozen):
    """What Slipway made live; `at` in milliseconds since 1970, unknown if its history forgot.

    `commits` are those that the version stands for where they are several.
    """

    version: str
    commit: str
    sha256: str
    run: str
    at: int | None = None
    commits: tuple[str, ...] = ()


class Live(Frozen):
    """What an alias runs in AWS; `weights` are other versions' shares, 0 to 1."""

    version: str
    commit: str | None
    sha256: str
    weights: dict[str, float] = {}


class Difference(Frozen):
    """One thing about an alias that is not as Slipway left it."""

    kind: Kind
    text: Shown


class Seen(Frozen):
    """One function of an environment; `live` is None where there is no such alias.

    `releasing` is the run that is changing it now: what is live then is that run's business.
    `fault` says why AWS could not be asked; what differs is then what was known before.
    `unrepaired` says why what differs could not be put back, where the operator wants that.
    """

    function: str
    repository: str
    record: Recorded
    live: Live | None = None
    differs: tuple[Difference, ...] = ()
    releasing: str | None = None
    fault: Shown | None = None
    unrepaired: Shown | None = None

    @property
    def certain(self) -> bool:
        """Whether it was really looked at."""
        return self.releasing is None and self.fault is None


class Head(Frozen):
    """The head of a branch that deploys to the environment; None where there is no such branch."""

    repository: str
    repository_id: int
    branch: str
    commit: str | None = None
    fault: Shown | None = None


class CodeStorage(Frozen):
    """Lambda's code storage of the account and region, in bytes."""

    used: int
    limit: int

    @property
    def filling(self) -> bool:
        """Whether somebody should do something about it soon."""
        return self.used >= FULL * self.limit


class Observation(Frozen):
    """One look; `at` is when it began, in milliseconds since 1970.

    `untold` are notices of it that could not be given yet; `storage_fault` says that the
    code storage may not be read.
    """

    environment: str
    at: int
    region: str = ""
    functions: tuple[Seen, ...] = ()
    heads: tuple[Head, ...] = ()
    storage: CodeStorage | None = None
    storage_fault: Shown | None = None
    untold: tuple[Shown, ...] = ()

    def of(self, function: str) -> Seen | None:
        """What was seen of one function."""
        return next((seen for seen in self.functions if seen.function == function), None)

    @property
    def drifted(self) -> tuple[Seen, ...]:
        """The functions that are not as Slipway left them."""
        return tuple(seen for seen in self.functions if seen.differs)
