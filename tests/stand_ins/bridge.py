"""A network bridge of this machine, for an engine that has one; gone afterwards."""

import os
import shutil
from types import TracebackType
from typing import Self

from tests.stand_ins.packages import run


class Bridge:
    """A bridge with an address; several processes may each make one."""

    def __init__(self) -> None:
        self.name = f"slw{os.getpid()}"
        self.address = f"10.213.{os.getpid() % 250}.1"

    @staticmethod
    def can_be_made() -> bool:
        """Whether this process may and can make one."""
        return os.geteuid() == 0 and shutil.which("ip") is not None

    def __enter__(self) -> Self:
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
