"""A hold on a run: kept alive by heartbeats, gone when they stop, asked before each step."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic
from typing import Any

from redis.exceptions import RedisError

from workers.ledger.model.errors import CancelledError, DrainedError, StoppedError
from workers.ledger.model.masked import Mask
from workers.ledger.scripts import Argument, Scripts

LOST_AFTER = 0.8
BEAT_SECONDS = 1.0  # a cancel is to be heard soon


class Heartbeat:
    """One worker's hold on one run, kept alive by heartbeats."""

    def __init__(  # noqa: PLR0913 - what the ledger answers, and the mask of what is written
        self,
        scripts: Scripts,
        run_id: str,
        fence: str,
        seconds: float,
        cancel: str | None = None,
        *,
        mask: Mask = str,
    ) -> None:
        self.run_id = run_id
        self.fence = fence
        self.seconds = seconds
        self._scripts = scripts
        self._lost = Event()
        self._ended = Event()
        self._confirmed: float | None = None
        self._cancel = cancel
        self._drain = False
        self._mask = mask

    def check(self) -> None:
        """Go on only if that is still wanted.

        Raises:
            StoppedError: the lease is lost; another worker may be at it already.
            CancelledError: somebody asked for the run to end.
            DrainedError: this worker was asked to end.
        """
        self.hold()
        if self._cancel is not None:
            raise CancelledError(self._cancel)
        if self._drain:
            raise DrainedError("its worker is shutting down; another one goes on with it")

    def hold(self) -> None:
        """Go on even if the run is to end, as what puts things back must.

        Raises:
            StoppedError: the lease is lost; another worker may be at it already.
        """
        # The heartbeat's own call may hang for longer than the lease lasts.
        if self._lost.is_set() or self._silent:
            raise StoppedError(self.run_id)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Send heartbeats while the body runs."""
        self._confirmed = monotonic()
        thread = Thread(target=self._beat, name=f"heartbeat-{self.run_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(min(self.seconds / 6, BEAT_SECONDS)):
            try:
                answer, why = self._beaten()
            except RedisError:
                answer, why = "silent", ""
            self._heard(answer, why)
            if self._lost.is_set():
                return

    def _heard(self, answer: str, why: str) -> None:
        if answer == "cancel":
            self._cancel = why
        self._drain = answer == "drain"
        if answer in ("kept", "cancel", "drain"):
            self._confirmed = monotonic()
        if answer == "lost" or self._silent:
            self._lost.set()

    def confirm(self) -> None:
        """As `check`, by the ledger's own word of this moment.

        Raises:
            StoppedError, CancelledError, DrainedError: as `check`.
        """
        self.renew()
        self.check()

    def renew(self) -> None:
        """As `hold`, by the ledger's own word of this moment.

        Raises:
            StoppedError: as `hold`.
        """
        self._heard(*self._beaten())
        self.hold()

    @property
    def _silent(self) -> bool:
        """Whether no heartbeat was confirmed for so long that the lease may be another's."""
        if self._confirmed is None:
            return False
        return monotonic() - self._confirmed > self.seconds * LOST_AFTER

    def _beaten(self) -> Any:  # noqa: ANN401 - as the script
        return self._ours("beat", lease_ms=int(self.seconds * 1000))

    def _ours(self, script: str, /, **given: Argument) -> Any:  # noqa: ANN401 - as the script
        """Run a script that first sees whether the lease is ours; its answer."""
        return self._scripts(script, id=self.run_id, fence=self.fence, **given)

    def _fenced(self, script: str, /, **given: Argument) -> None:
        if not self._ours(script, **given):
            self._lost.set()
            raise StoppedError(self.run_id)
