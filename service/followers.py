"""Long answers: how many there may be at once, and when followers of runs have to go.

What holds a thread for as long as somebody reads takes a seat, and there are fewer seats than
threads: pages and the API find a free one. The loop's own followers hold none, and are counted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

MOST_FOLLOWERS = 16
"""Of one process under gunicorn; less than `threads` there, by as many as may answer."""

stopping = Event()
"""Set when this process is asked to end."""
_in_the_loop: list[None] = []


def count() -> int:
    """How many followers the loop of this process has."""
    return len(_in_the_loop)


@contextmanager
def following() -> Iterator[None]:
    """Count one of them."""
    _in_the_loop.append(None)
    try:
        yield
    finally:
        _in_the_loop.pop()


class Followers:
    """The seats of one web process."""

    def __init__(self, most: int = MOST_FOLLOWERS) -> None:
        self._most = most
        self._taken: set[object] = set()
        self._lock = Lock()

    def sit(self) -> object | None:
        """Take a seat, to be given back with `leave`; None when all are taken."""
        seat = object()
        with self._lock:
            if len(self._taken) >= self._most:
                return None
            self._taken.add(seat)
        return seat

    def leave(self, seat: object) -> None:
        """Give a seat back; a second time does no harm."""
        with self._lock:
            self._taken.discard(seat)
