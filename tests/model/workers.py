"""Worker processes that live on: each is told a run, and walks it to its end."""

import os
import traceback
from collections.abc import Callable
from typing import Self

from tests.model.parts import Parts, unhurried


class Worker:
    """One process, forked off this one."""

    def __init__(self, parts: Parts, work: Callable[[str], None]) -> None:
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            # It leaves by _exit: nothing of the parent process is undone in it.
            try:
                os.close(self._orders)
                unhurried()
                with os.fdopen(orders) as told, os.fdopen(answers, "w") as told_back:
                    for line in told:
                        work(line.strip())
                        print("done", file=told_back, flush=True)
            except Exception:  # noqa: BLE001 - all of it is shown, here being its end
                traceback.print_exc()
            finally:
                os._exit(0)
        os.close(orders)
        os.close(answers)
        self._answer = os.fdopen(self._answers)

    def begin(self, run_id: str) -> None:
        """Have it walk a run."""
        os.write(self._orders, f"{run_id}\n".encode())

    def finish(self) -> None:
        """Wait until it has."""
        assert self._answer.readline() == "done\n", "the worker died"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._orders)
        os.waitpid(self.process, 0)
        self._answer.close()
