"""The query of the list of runs: filters, and the way back through its pages."""

import re
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from workers.ledger.history import Query
from workers.ledger.model.run import State

CHECK = "check"
NAMES = ("repository", "branch", "environment", "state")
LONGEST = 300
MOST_PAGES = 40
_NUMBER = re.compile(r"[0-9]{1,17}")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the form asks for; `trail` holds the cursors of the pages before this one."""

    repository: str = ""
    branch: str = ""
    environment: str = ""
    state: str = ""
    cursor: int | None = None
    trail: tuple[int, ...] = ()

    @classmethod
    def read(cls, asked: MultiDict[str, str]) -> Self:
        """From a query string; what it does not know is left alone.

        Raises:
            BadRequest: a value that no form or link of ours sends.
        """
        texts = {name: asked.get(name, "").strip() for name in NAMES}
        if any(len(text) > LONGEST or "\0" in text for text in texts.values()):
            raise BadRequest("A filter is too long to be the name of anything.")
        if texts["state"] and texts["state"] not in set(State):
            raise BadRequest(f"There is no state {texts['state'][:50]!r}.")
        cursor = asked.get("cursor", "")
        return cls(
            **texts,
            cursor=_number(cursor) if cursor else None,
            trail=_numbers(asked.get("trail", "")),
        )

    @property
    def any(self) -> bool:
        """Whether something is left out."""
        return any(getattr(self, name) for name in NAMES)

    @property
    def first(self) -> bool:
        """Whether this is the newest page."""
        return self.cursor is None

    def query(self, *, checks: bool) -> Query:
        """As the ledger takes it; `checks`: whether `check` means runs that deploy nowhere."""
        match = {"state": self.state, "environment": self.environment}
        if checks and self.environment == CHECK:
            match = {"state": self.state, "purpose": CHECK}
        return Query(
            repository=self.repository or None,
            branch=self.branch or None,
            cursor=self.cursor,
            match={name: value for name, value in match.items() if value},
        )

    def older(self, cursor: int | None) -> str | None:
        """The address of the next page."""
        if cursor is None:
            return None
        trail = (*self.trail, self.cursor or 0)[-MOST_PAGES:]
        return replace(self, cursor=cursor, trail=trail).address()

    def newer(self) -> str | None:
        """The address of the previous page."""
        if self.first:
            return None
        *trail, cursor = self.trail or (0,)
        return replace(self, cursor=cursor or None, trail=tuple(trail)).address()

    def address(self) -> str:
        """The page with these filters, after the public URL's path."""
        pairs = {name: getattr(self, name) for name in NAMES}
        pairs["cursor"] = str(self.cursor or "")
        pairs["trail"] = "-".join(map(str, self.trail))
        query = urlencode({name: value for name, value in pairs.items() if value})
        return f"/runs?{query}" if query else "/runs"


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.split("-") if text else []
    if len(parts) > MOST_PAGES:
        raise _damaged()
    return tuple(map(_number, parts))


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise _damaged()
    return int(text)


def _damaged() -> BadRequest:
    return BadRequest("This link to a page is damaged; start at the newest runs.")
