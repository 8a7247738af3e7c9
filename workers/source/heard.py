"""What a git process says, read as it comes and kept within bounds."""

import os
import selectors
import signal
import subprocess
from collections.abc import Callable

from config.limits import GIT_COMPLAINT

_READ = 64 << 10

Take = Callable[[bytes], None]
"""Is given a process's output, in pieces; may raise to stop it."""


class Heard:
    """The output of a process, at most `most` bytes of it, and its complaints.

    More output than that stops the process; of long complaints the beginning and end are kept.
    """

    def __init__(
        self, process: "subprocess.Popen[bytes]", most: int, take: Take | None = None
    ) -> None:
        self._process = process
        self._most = most
        self._take = take
        self._out = bytearray()
        self._complaint = bytearray()
        self.full = False
        self._selector = selectors.PollSelector()
        for stream, hear in ((process.stdout, self._output), (process.stderr, self._complain)):
            if stream:
                self._selector.register(stream, selectors.EVENT_READ, hear)

    @property
    def out(self) -> bytes:
        """What it printed."""
        return bytes(self._out)

    @property
    def complaint(self) -> bytes:
        """What it complained of."""
        return bytes(self._complaint)

    def ended(self, seconds: float) -> bool:
        """Whether it has ended, after listening for so long at most."""
        if self._selector.get_map():
            for key, _ in self._selector.select(seconds):
                self._hear(key)
            return False
        self._selector.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _hear(self, key: selectors.SelectorKey) -> None:
        data = os.read(key.fd, _READ)
        if data:
            key.data(data)
        else:
            self._selector.unregister(key.fileobj)

    def _output(self, data: bytes) -> None:
        if self._take:
            self._take(data)
            return
        self._out += data[: self._most - len(self._out)]
        if len(self._out) >= self._most and not self.full:
            self.full = True
            os.killpg(self._process.pid, signal.SIGKILL)

    def _complain(self, data: bytes) -> None:
        self._complaint += data
        if len(self._complaint) > GIT_COMPLAINT:
            half = GIT_COMPLAINT // 2
            self._complaint[half:-half] = b""
