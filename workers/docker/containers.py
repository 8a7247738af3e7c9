"""Follows a container's output and end, and removes it."""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal, cast

from docker.errors import APIError, NotFound
from docker.models.containers import Container

from workers.docker.disk import Written
from workers.docker.engine import Engine
from workers.docker.output import Lines
from workers.ledger.model.errors import RunError
from workers.ledger.model.guard import Say, Watch

_TICK = 0.25
_LOOK = 2.0  # seconds between two looks at a container whose output has not ended
Killed = Literal["", "time", "disk"]
"""For which of its limits a container was killed, if it was."""

_WAITING_CHUNKS = 64  # of 32 KB at most each, as engines send them


class Output:
    """What a container prints, read by a thread of its own so that nobody hangs on a socket.

    When its few chunks are not fetched, the container has to wait with printing more.
    """

    def __init__(self, engine: Engine, container: Container) -> None:
        self._chunks: queue.Queue[bytes] = queue.Queue(_WAITING_CHUNKS)
        self._discarded = threading.Event()
        with engine.reached():  # to be called before the start, or the first lines are lost
            stream = container.attach(stdout=True, stderr=True, stream=True)
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return not self._thread.is_alive() and self._chunks.empty()

    def next(self, seconds: float) -> bytes:
        """The next bytes; none if there are none for so long, or if it has ended."""
        with suppress(queue.Empty):
            return self._chunks.get(timeout=seconds)
        return b""

    def discard(self) -> None:
        """Drop what comes from now on.

        An engine kills and removes a container only after it got rid of its output.
        """
        self._discarded.set()

    def _read(self, stream: Iterator[bytes]) -> None:
        # A broken stream counts as ended: the engine is asked whether the container still runs.
        with suppress(Exception):
            for chunk in stream:
                self._put(chunk)
        self._put(b"")  # wakes who waits for more

    def _put(self, chunk: bytes) -> None:
        while not self._discarded.is_set():
            try:
                return self._chunks.put(chunk, timeout=_TICK)
            except queue.Full:
                continue
        return None


def follow(  # noqa: PLR0913 - as many as it needs
    engine: Engine,
    container: Container,
    output: Output,
    *,
    seconds: float,
    disk: int,
    say: Say,
    watch: Watch,
) -> Killed:
    """Hand on the output until the container has ended; why it was killed, if it was.

    `disk` are the bytes that it may write.

    Raises:
        PassingError: the engine went away.
    """
    lines = Lines(say, engine.masker)
    deadline = time.monotonic() + seconds
    written = Written(engine, container, disk)
    killed: Killed = ""
    checked = looked = 0.0
    pause = 0.01  # most containers are gone as soon as their output has ended
    try:
        while True:
            if output.ended:
                time.sleep(pause)
                pause = min(2 * pause, _TICK)
            else:
                lines.feed(output.next(_TICK))
            now = time.monotonic()
            if now >= checked + _TICK:
                checked = now
                watch.check()
            if not killed and (killed := _over(written, late=now > deadline)):
                output.discard()
                _kill(engine, container)
            if output.ended or now >= looked + _LOOK:
                looked = now
                if not state(engine, container)["Running"]:
                    _drain(output, lines)
                    return killed
    finally:
        output.discard()


def _over(written: Written, *, late: bool) -> Killed:
    if late:
        return "time"
    return "disk" if written.too_much() else ""


def _drain(output: Output, lines: Lines) -> None:
    """Hand on what a container that has ended still has to say."""
    while not output.ended and (rest := output.next(_TICK)):
        lines.feed(rest)
    lines.feed(b"", final=True)


def state(engine: Engine, container: Container) -> dict[str, Any]:
    """The engine's record of the container's state.

    Raises:
        PassingError: the engine does not answer.
    """
    with engine.reached():
        container.reload()
    return cast("dict[str, Any]", container.attrs["State"])


def remove(engine: Engine, container: Container) -> None:
    """Kill and remove a container with its volumes; one out of reach is left to the sweep."""
    with suppress(RunError), engine.reached(), suppress(NotFound):
        container.remove(force=True, v=True)


def _kill(engine: Engine, container: Container) -> None:
    with engine.reached(), suppress(APIError):  # it may have ended in this moment
        container.kill()
