"""A gradual release as its run remembers it: which step, since when, which functions."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from config.units import clock
from workers.ledger.model.masked import Shown

Fate = Literal["user", "ours", "cancelled", "superseded", "held"]


class Shift(BaseModel):
    """One function on its way from the version before to the new one.

    `before` is None for an alias that was not there; `gradual` is False for one that moves whole
    in the first step; `weights` are shares that somebody had left on the alias.
    """

    model_config = ConfigDict(frozen=True)

    function: str
    before: str | None
    version: str
    gradual: bool = True
    weights: dict[str, float] = {}


class Ending(BaseModel):
    """Why it is put back, what becomes of the run then, and since when it is tried."""

    model_config = ConfigDict(frozen=True)

    fate: Fate
    why: Shown
    since: int


class Rollout(BaseModel):
    """A gradual release; times in milliseconds since 1970, as Redis's clock told them.

    `step` counts from 1 and is the one in force, or with `since` None the one being taken; the
    last one is all of the traffic. `began` is when the first step was in force.
    """

    model_config = ConfigDict(frozen=True)

    strategy: str
    alias: str
    state: Literal["moving", "done", "undone", "left"] = "moving"
    step: int = 1
    since: int | None = None
    next_at: int | None = None
    began: int | None = None
    shares: tuple[int, ...]
    seconds: float
    shifts: tuple[Shift, ...]
    ending: Ending | None = None
    left: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """How many there are, the last one included."""
        return len(self.shares) + 1

    @property
    def last(self) -> bool:
        """Whether this step is all of the traffic."""
        return self.step >= self.steps

    def share(self, step: int) -> int:
        """The new versions' share of a step, in percent."""
        if step < 1:
            return 0
        return self.shares[step - 1] if step <= len(self.shares) else 100

    @property
    def percent(self) -> int:
        """The new versions' share now: that of the step in force."""
        if self.state == "undone":
            return 0
        return self.share(self.step if self.since is not None else self.step - 1)

    @property
    def lasts(self) -> float:
        """Seconds from the first step to the last one."""
        return self.seconds * len(self.shares)

    def __str__(self) -> str:
        """The step in force, in words."""
        if self.since is None or self.next_at is None:
            return f"{self.percent} %"
        return f"{self.percent} % since {clock(self.since)}, next step at {clock(self.next_at)}"

    def taking(self, step: int) -> "Rollout":
        """About to take a step."""
        return self.model_copy(update={"step": step, "since": None, "next_at": None})

    def taken(self, now: int) -> "Rollout":
        """With the step in force from now on."""
        next_at = None if self.last else now + int(self.seconds * 1000)
        return self.model_copy(
            update={"since": now, "next_at": next_at, "began": self.began or now}
        )
