"""Several builds at once: the first that fails stops the others."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from workers.ledger.model.guard import Watch

T = TypeVar("T")


class _StoppedError(Exception):
    """Another build has failed."""


class Stop:
    """A watch that ends all builds once one of them has failed."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._failed = False

    def check(self) -> None:
        """Go on, unless one has failed or the watch of all of them says no."""
        if self._failed:
            raise _StoppedError
        self._watch.check()

    def at_error(self, work: Callable[[], T]) -> T:
        """What the work returns; its error stops the others."""
        self.check()
        try:
            return work()
        except BaseException:
            self._failed = True
            raise

    @staticmethod
    def results(running: Sequence[Future[T]]) -> list[T]:
        """What all of them returned, in order, or the error of the first that failed by itself."""
        errors = [error for one in running if (error := one.exception())]
        own = [error for error in errors if not isinstance(error, _StoppedError)]
        if own:
            raise own[0]
        return [one.result() for one in running]
