"""A network bridge of this machine, for an engine that has one; gone afterwards."""

import os
import shutil
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from local.packages import run

NETWORK = Path("/sys/class/net")
# A process may have two at a time.
_NUMBERS = count()


def clear() -> None:
    """Remove the bridges of processes that were killed before they could."""
    for found in NETWORK.glob("slw*"):
        owner = found.name.removeprefix("slw").partition("n")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            run(["ip", "link", "delete", "dev", found.name], check=False)


class Bridge:
    """A bridge with an address; several processes may each make one."""

    def __init__(self) -> None:
        number = next(_NUMBERS)
        self.name = f"slw{os.getpid()}n{number}"
        self.address = f"10.{213 + number % 16}.{os.getpid() % 250}.1"

    @staticmethod
    def can_be_made() -> bool:
        """Whether this process may and can make one."""
        return os.geteuid() == 0 and shutil.which("ip") is not None

    def __enter__(self) -> Self:
        clear()
        run(["ip", "link", "add", "name", self.name, "type", "bridge"])
        run(["ip", "address", "add", f"{self.address}/24", "dev", self.name])
        run(["ip", "link", "set", "dev", self.name, "up"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        run(["ip", "link", "delete", "dev", self.name], check=False)
