"""How the ledger has the tasks that a worker is at, and what becomes of one that was ended."""

from typing import NamedTuple

from redis import Redis

from config.server.allowances import UNKNOWN_SECONDS
from workers.ledger.scripts import Scripts

GIVEN_BACK = "given back"
LOST = "lost"


class Tended(NamedTuple):
    """A task's run, how it stands to it, and the most seconds that one task may be at it.

    `kept`; `cancel` and `drain`: it is to end; `lost`: its lease is gone; `over`: it has let go.
    """

    run_id: str
    state: str
    seconds: float


class Tending:
    """Read by the main process of a worker, beside the tasks themselves."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)

    def of(self, task_id: str) -> Tended:
        """How it stands now."""
        run_id, state, seconds = self._scripts("tended", task=task_id)
        return Tended(run_id, state, float(seconds) if seconds else UNKNOWN_SECONDS)

    def give_up(self, task_id: str, how: str) -> str:
        """Take a run from a task whose process was ended; the queue of its next visit, or "".

        GIVEN_BACK counts as no loss, LOST as one, like the death of a worker.
        """
        return str(self._scripts("give_up", task=task_id, how=how))
