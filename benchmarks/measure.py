"""Turns, medians and what a process has used."""

import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Cell = TypeVar("Cell", bound=Hashable)
Result = TypeVar("Result")
_TICKS = os.sysconf("SC_CLK_TCK")

median = statistics.median


@dataclass(frozen=True)
class Options:
    """How much is measured; `folder` is for files that may go afterwards."""

    quick: bool
    rounds: int
    folder: Path
    cache: Path


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that `percent` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def turns(
    cells: Sequence[Cell], measure: Callable[[Cell], Result], rounds: int
) -> dict[Cell, list[Result]]:
    """Measure each cell once a round, so that whatever slows the machine slows all of them."""
    found: dict[Cell, list[Result]] = {cell: [] for cell in cells}
    for number in range(rounds):
        for cell in cells:
            began = time.monotonic()
            found[cell].append(measure(cell))
            took = time.monotonic() - began
            print(f"  round {number + 1}: {cell} ({took:.1f} s)", file=sys.stderr, flush=True)
    return found


def cpu_seconds(leader: int) -> float:
    """Processor seconds that a session's living processes have used; `leader` began the session."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            total += int(fields[11]) + int(fields[12])
    return total / _TICKS
