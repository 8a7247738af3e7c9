"""What the demo shows: a line for each step, moving on a terminal and plain elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

SIGNS = {
    "pending": ("·", "dim"),
    "running": ("…", "cyan"),
    "waiting": ("…", "yellow"),
    "succeeded": ("✓", "bold green"),
    "failed": ("✗", "bold red"),
    "skipped": ("-", "dim"),
}
NAME_WIDTH = 22
FRAMES_A_SECOND = 12


@dataclass
class Row:
    """One step: `state` is a stage's, `seconds` what it took once it has ended."""

    name: str
    state: str = "pending"
    detail: str = ""
    seconds: float | None = None
    began: float | None = None
    done: bool = False
    spinner: Spinner = field(default_factory=lambda: Spinner("dots", style="cyan"))

    @property
    def took(self) -> str:
        """The time that it took, or has taken so far."""
        seconds = self.seconds
        if seconds is None and self.began is not None and self.state == "running":
            seconds = time.monotonic() - self.began
        return "" if seconds is None else f"{seconds:6.1f} s"

    @property
    def over(self) -> bool:
        """Whether it will not change any more."""
        return self.done or self.state in {"succeeded", "failed", "skipped"}


class Screen:
    """The demo's output; use it with `with`."""

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()
        # A pipe is never drawn upon, whatever FORCE_COLOR says; NO_COLOR is rich's own business.
        self._console = Console(force_terminal=None if self.live else False, highlight=False)
        self._parts: list[Row | Text] = []
        self._printed: set[int] = set()
        self._live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=FRAMES_A_SECOND
        )

    @contextmanager
    def step(self, name: str) -> Iterator[Row]:
        """A step that is over, well or badly, when the block ends."""
        row = self.begin(name)
        try:
            yield row
        except BaseException:
            self.end(row, state="failed")
            raise
        self.end(row)

    def begin(self, name: str) -> Row:
        """A step that begins now."""
        row = Row(name, "running", began=time.monotonic())
        self._parts.append(row)
        return row

    def end(self, row: Row, detail: str = "", state: str = "succeeded") -> None:
        """A step that ends now."""
        row.seconds = time.monotonic() - (row.began or time.monotonic())
        self.change(row, state, detail or row.detail)

    def add(self, name: str) -> Row:
        """A step that will begin later."""
        row = Row(name)
        self._parts.append(row)
        return row

    def change(
        self,
        row: Row,
        state: str,
        detail: str,
        seconds: float | None = None,
        *,
        done: bool = False,
    ) -> None:
        """What is known of a step now; `done` if that is all, whatever its state."""
        row.done = row.done or done
        if state == "running" and row.began is None:
            row.began = time.monotonic()
        row.state, row.detail = state, detail
        row.seconds = row.seconds if seconds is None else seconds
        if self.live:
            self._settle()
        elif row.over and id(row) not in self._printed:
            self._printed.add(id(row))
            self._plain(row)

    def say(self, text: str = "", style: str = "") -> None:
        """A line of text."""
        if self.live:
            self._parts.append(Text(text, style=style))
            self._settle()
        else:
            print(text, flush=True)

    def _settle(self) -> None:
        """Print for good what is over, so that only what moves has to fit on the screen."""
        while self._parts and (isinstance(self._parts[0], Text) or self._parts[0].over):
            part = self._parts.pop(0)
            self._live.refresh()
            self._console.print(self._line(part))

    def _plain(self, row: Row) -> None:
        first, *more = row.detail.splitlines() or [""]
        line = f"  {SIGNS[row.state][0]} {row.name:<{NAME_WIDTH}}{row.took:>8}  {first}"
        print("\n".join([line.rstrip(), *(f"      {text}" for text in more)]), flush=True)

    def _draw(self) -> Group:
        return Group(*(self._line(part) for part in tuple(self._parts)))

    def _line(self, part: Row | Text) -> Table | Text:
        if isinstance(part, Text):
            return part
        sign, style = SIGNS[part.state]
        table = Table.grid(padding=(0, 1))
        table.add_column(width=2, justify="right")
        table.add_column(width=NAME_WIDTH)
        table.add_column(width=8, justify="right")
        table.add_column(overflow="fold")
        table.add_row(
            part.spinner if part.state == "running" else Text(sign, style=style),
            Text(part.name, style="dim" if part.state in {"pending", "skipped"} else ""),
            Text(part.took, style="dim"),
            Text(part.detail, style="red" if part.state == "failed" else "dim"),
        )
        return table

    def __enter__(self) -> Self:
        if self.live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live:
            self._live.stop()
