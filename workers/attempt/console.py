"""What a run says while it works: masked, gathered, and written to its log a few times a second."""

from collections.abc import Callable
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from redis.exceptions import RedisError

from config.masker import Masker, MaskingStream
from workers.archive.writer import VisitLog

FLUSH_SECONDS = 0.25
CHUNK = 8192


class Console:
    """Gathers text of several sources at once; a failing write never fails the work."""

    def __init__(self, log: VisitLog, masker: Masker) -> None:
        self._log = log
        self._masker = masker
        self._streams: dict[str, MaskingStream] = {}
        self._lock = Lock()
        self._writing = Lock()
        self._texts: dict[str, list[str]] = {}
        self._size = 0
        self._ended = Event()
        self._thread = Thread(target=self._pump, name="console", daemon=True)

    def say(self, source: str, text: str) -> None:
        """Add text, whole lines of it, under the name of its source."""
        line = text if text.endswith("\n") else f"{text}\n"
        with self._lock:
            self._texts.setdefault(source, []).append(line)
            self._size += len(line)
            full = self._size > CHUNK
        if full:
            with self._writing:
                self._hand_on()

    def flush(self, *, last: bool = False) -> None:
        """Write what has gathered; but for the last time, what may be half a secret waits."""
        with self._writing:
            self._hand_on()
            if last:
                for source, stream in self._streams.items():
                    self._write(source, stream.flush())
            self._try(self._log.tick)

    def seal(self) -> None:
        """Write all of it, since the visit is about to end."""
        self.flush(last=True)
        with self._writing:
            self._try(self._log.seal)

    def _hand_on(self) -> None:
        with self._lock:
            texts, self._texts, self._size = self._texts, {}, 0
        for source, parts in texts.items():
            stream = self._streams.setdefault(source, self._masker.stream())
            self._write(source, stream.feed("".join(parts)))

    def _write(self, source: str, text: str) -> None:
        self._try(lambda: self._log.write(source, text))

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except RedisError:
            self._ended.wait(FLUSH_SECONDS)

    def _pump(self) -> None:
        while not self._ended.wait(FLUSH_SECONDS):
            self.flush()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        self.flush(last=True)
        self._log.close()
