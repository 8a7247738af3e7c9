"""What a container has written to the engine's disk, looked at while it runs."""

import re
import time
from typing import Any

from docker.errors import NotFound
from docker.models.containers import Container

from workers.docker.engine import Engine

_FULL = re.compile(
    r"^(?!.*\bshm\b).*(no space left on device|disk quota exceeded|\bENOSPC\b)",
    re.IGNORECASE | re.MULTILINE,
)
_LOOK = 2.0
_SHARE = 20
"""An engine that needs a second to count is asked again after so many."""


def full(text: str) -> bool:
    """Whether a program says that it found no room on the disk; a full /dev/shm is its own."""
    return any(_FULL.match(line[:1000]) for line in text.splitlines())


class Written:
    """Counts what one container has written, in its own layer and in volumes of its image."""

    def __init__(self, engine: Engine, container: Container, most: int) -> None:
        """`most` are the bytes that it may write."""
        self._engine = engine
        self._container = container
        self._most = most
        self._next = time.monotonic() + _LOOK

    def too_much(self) -> bool:
        """Whether it is more than that, as far as is known now; looks every few seconds.

        Raises:
            PassingError: the engine does not answer.
        """
        began = time.monotonic()
        if began < self._next:
            return False
        size = self.bytes()
        took = time.monotonic() - began
        self._next = began + max(_LOOK, _SHARE * took)
        return size > self._most

    def bytes(self) -> int:
        """How much it is now; 0 of a container that is gone.

        Raises:
            PassingError: the engine does not answer.
        """
        with self._engine.reached():
            try:
                return self._layer() + self._volumes()
            except NotFound:
                return 0

    def _layer(self) -> int:
        api = self._engine.client.api
        found = api.containers(all=True, size=True, filters={"id": self._container.id})
        return sum(int(one.get("SizeRw") or 0) for one in found)

    def _volumes(self) -> int:
        mounts: list[dict[str, Any]] = self._container.attrs.get("Mounts") or []
        ours = {mount["Name"] for mount in mounts if mount.get("Type") == "volume"}
        if not ours:
            return 0
        volumes = self._engine.client.api.df().get("Volumes") or []
        sizes = [(v.get("UsageData") or {}).get("Size", 0) for v in volumes if v["Name"] in ours]
        return sum(max(0, int(size)) for size in sizes)
