"""Faults, named by who must act."""


class RunError(Exception):
    """A fault that ends or delays a run; its text is shown to people."""

    fault = "ours"


class UserError(RunError):
    """The repository's fault: its code, its checks, its pipeline file or what it asks for."""

    fault = "user"


class OurError(RunError):
    """Slipway's or its operator's fault, which repeating would not mend."""


class PassingError(RunError):
    """Something out of reach for now: the stage is tried again with back-off."""


class BusyError(PassingError):
    """Another run holds what this one needs: wait, without counting it as a failure."""


class DrainedError(PassingError):
    """This worker is asked to end: it hands the run back, which counts as no failure."""


class SupersededError(RunError):
    """A newer commit has taken this run's place."""


class WaitError(Exception):
    """The run waits for people, `seconds` at most; `over` is the run that gives way to it."""

    def __init__(self, seconds: float, place: str, over: str | None = None) -> None:
        super().__init__(place)
        self.seconds = seconds
        self.place = place
        self.over = over


class StoppedError(Exception):
    """This worker must stop at once: its lease is gone."""


class CancelledError(RunError):
    """Somebody asked for the run to end."""
