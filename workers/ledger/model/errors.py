"""Faults, named by who must act."""

from config.limits import RECORDED
from config.masker import cut

HELD_SECONDS = 86400.0
"""After which a held run looks again whether it still is."""


class RunError(Exception):
    """A fault that ends or delays a run; its text is shown to people."""

    fault = "ours"

    def __str__(self) -> str:
        """Its text; the beginning of one that is longer than the record takes."""
        return cut(super().__str__(), RECORDED)


class UserError(RunError):
    """The repository's fault: its code, its checks, its pipeline file or what it asks for."""

    fault = "user"


class OurError(RunError):
    """Slipway's or its operator's fault, which repeating would not mend."""


class PassingError(RunError):
    """Something out of reach for now: the stage is tried again with back-off."""


class BusyError(PassingError):
    """Another run holds what this one needs: wait, without counting it as a failure."""


class RoomError(BusyError):
    """This machine's disk has too little room to begin: wait, without counting it as a failure."""


class DrainedError(PassingError):
    """This worker is asked to end: it hands the run back, which counts as no failure."""


class SupersededError(RunError):
    """A newer commit has taken this run's place."""


class WaitError(Exception):
    """The run waits without a worker, `seconds` at most; the text is the state of its stage.

    When the time is over, or `Ledger.wake` says that something has happened, the stage runs again.
    """

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class PeopleError(WaitError):
    """It waits for people, at one place; `over` is the run that gives way to it."""

    def __init__(self, seconds: float, place: str, over: str | None = None) -> None:
        super().__init__(seconds, "Waiting for approval")
        self.place = place
        self.over = over


class HeldError(WaitError):
    """Its environment is locked: it waits at a place until somebody unlocks, or the lock expires.

    `over` is the older run there that gives way to it.
    """

    def __init__(self, why: str, environment: str, place: str, over: str | None = None) -> None:
        super().__init__(HELD_SECONDS, why)
        self.environment = environment
        self.place = place
        self.over = over


class GoneError(OurError):
    """What a rollback goes back to is no longer kept anywhere."""


class StoppedError(Exception):
    """This worker must stop at once: its lease is gone."""


class CancelledError(RunError):
    """Somebody asked for the run to end."""
