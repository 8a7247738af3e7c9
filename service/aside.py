"""Work that no request waits for, by so many threads at most."""

from collections.abc import Callable
from queue import Full, Queue
from threading import Lock, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_WAITING = 1000


class Aside(Generic[T]):
    """Does some `work` on one thing after another; its threads begin with the first things.

    They end with the process, whatever is left: only what may be lost is given to them.
    """

    def __init__(
        self, name: str, work: Callable[[T], None], *, threads: int = 1, most: int = MOST_WAITING
    ) -> None:
        self._name = name
        self._work = work
        self._most_threads = threads
        self._threads = 0
        self._making = Lock()
        self._waiting: Queue[T] = Queue(most)

    def add(self, thing: T) -> bool:
        """Have the work done on a thing, soon; False when too much waits for that already."""
        try:
            self._waiting.put_nowait(thing)
        except Full:
            return False
        with self._making:
            if self._threads < self._most_threads:
                self._threads += 1
                Thread(target=self._serve, name=self._name, daemon=True).start()
        return True

    def _serve(self) -> None:
        while True:
            self._work(self._waiting.get())
