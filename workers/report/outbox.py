"""What each channel was told of one run; one reporter at a time holds it."""

import json
import math
from collections.abc import Mapping
from time import time

from pydantic import BaseModel, ConfigDict

from config.masker import cut
from workers.ledger import Ledger
from workers.ledger.model.errors import RunError, StoppedError
from workers.ledger.model.run import Run

REPORTER_SECONDS = 120
QUICK_SECONDS = 30
"""Longer than a request to GitHub takes: a reporter that was killed holds up no verdict longer."""
AGAIN_SECONDS = 2.0
LONGEST_SECONDS = 600.0
SENT = "sent"
GIVEN_UP = "given up"
WHY = "|why"
"""Behind a channel's name: what it was not told, and why."""
LOG = "log"


class Pause(BaseModel):
    """A channel that could not be told: since when, and when to try again (both in ms since 1970).

    News of the run cut a pause short, unless the other side asked for it. `over`: it was given up,
    and only news have it tried once more.
    """

    model_config = ConfigDict(frozen=True)

    tries: int
    until: int
    asked: bool
    revision: str
    since: int = 0
    over: bool = False


class Outbox:
    """The run's `told` map: what was said to whom, and who is to be tried again when."""

    def __init__(self, ledger: Ledger, run_id: str, token: str, revision: str, told: str) -> None:
        self._ledger = ledger
        self._run_id = run_id
        self._token = token
        self._revision = revision
        self.told: dict[str, str] = json.loads(told)

    @classmethod
    def open(cls, ledger: Ledger, run_id: str, token: str) -> "Outbox | None":
        """Become the run's only reporter; None if somebody is."""
        begun = ledger.report_begin(run_id, token, QUICK_SECONDS)
        return cls(ledger, run_id, token, *begun) if begun else None

    def stay(self, seconds: float = REPORTER_SECONDS) -> None:
        """Stay the reporter for so long from now.

        Raises:
            StoppedError: another reporter took over meanwhile.
        """
        if not self._ledger.report_beat(self._run_id, self._token, seconds):
            raise StoppedError(self._run_id)

    def settled(self, key: str) -> bool:
        """Whether nothing more is to be done about an entry."""
        return self.told.get(key, "").startswith((SENT, GIVEN_UP))

    def keep(self, entries: Mapping[str, str]) -> None:
        """Write entries down at once, and stay the reporter for another while.

        Raises:
            StoppedError: another reporter took over meanwhile, and has these entries if it can.
        """
        self.told |= entries
        self._ledger.report_end(self._run_id, self._token, self._revision, json.dumps(self.told), 0)
        begun = self._ledger.report_begin(self._run_id, self._token, REPORTER_SECONDS)
        if begun is None:
            raise StoppedError(self._run_id)
        # The revision stays: it is that of the run which is being told.
        self.told = {**json.loads(begun[1]), **entries}

    def close(self, again: float | None) -> bool:
        """Give it back, due again in `again` seconds; whether the run has changed meanwhile."""
        told = json.dumps(self.told)
        if self._ledger.report_end(self._run_id, self._token, self._revision, told, again):
            return True
        if again is None:
            return False
        (revision,) = self._ledger.history.fields(self._run_id, "revision")
        return revision is not None and revision != self._revision

    def left(self, channel: str) -> float | None:
        """Seconds that a channel still rests, None when it may be tried; infinite: given up."""
        pause = self._rest(channel)
        if pause is None:
            return None
        seconds = math.inf if pause.over else pause.until / 1000 - time()
        rests = seconds > 0 and (pause.asked or pause.revision == self._revision)
        return seconds if rests else None

    def pause(self, channel: str, error: Exception) -> float:
        """Have a channel rest after a failure; for how many seconds."""
        before, now = self._rest(channel), int(time() * 1000)
        tries = before.tries if before else 0
        asked: float = getattr(error, "retry_after", None) or 0.0
        backoff: float = min(AGAIN_SECONDS * 2 ** min(tries, 30), LONGEST_SECONDS)
        seconds = max(backoff, asked)
        pause = Pause(
            tries=tries + 1,
            until=now + int(seconds * 1000),
            asked=asked > 0,
            revision=self._revision,
            since=(before and before.since) or now,
        )
        self.told[_pause(channel)] = pause.model_dump_json()
        return seconds

    def tries(self, channel: str) -> int:
        """How often in a row a channel has failed."""
        pause = self._rest(channel)
        return pause.tries if pause else 0

    def failing(self, channel: str) -> float:
        """For how many seconds a channel has failed, counted from the first time in a row."""
        pause = self._rest(channel)
        return time() - pause.since / 1000 if pause else 0.0

    def give_up(self, channel: str) -> None:
        """Try a channel that has failed no more, until there is news."""
        pause = self._rest(channel)
        if pause:
            given_up = pause.model_copy(update={"asked": False, "over": True})
            self.told[_pause(channel)] = given_up.model_dump_json()

    def _rest(self, channel: str) -> Pause | None:
        text = self.told.get(_pause(channel))
        return Pause.model_validate_json(text) if text else None

    def resume(self, channel: str) -> None:
        """A channel has been told everything."""
        self.told.pop(_pause(channel), None)
        self.explain(channel, None)

    def explain(self, channel: str, why: str | None) -> None:
        """Show with the run why a channel could not be told; None: it was."""
        if why:
            self.told[f"{channel}{WHY}"] = why
        else:
            self.told.pop(f"{channel}{WHY}", None)

    def say(self, run: Run, source: str, text: str) -> None:
        """Add a line to the run's log, as long as that is here; its copy in S3 is made anew."""
        if self._ledger.note(run.id, source, text):
            self.told.pop(LOG, None)


def _pause(channel: str) -> str:
    return f"{channel}|pause"


def sentence(error: RunError) -> str:
    """An error as one line that fits into an entry."""
    return cut(" ".join(str(error).split()), 300)
