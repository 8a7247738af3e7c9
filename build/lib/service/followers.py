"""Those who follow runs live: how many there may be at once, and when they have to go.

Each holds one thread of the web process for as long as it follows, so there are always fewer of
them than threads: pages, the API and deliveries that need a thread find a free one.
"""

from threading import Event, Lock

MOST_FOLLOWERS = 16
"""Of one web process; less than `threads` in service/gunicorn.py, by as many as may answer."""

stopping = Event()
"""Set when this process is asked to end."""


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
