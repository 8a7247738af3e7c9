"""Waiting for what is new about one run: its log, and a bell for every other change."""

from typing import Any, NamedTuple

from redis import Redis

from workers.ledger import keys

WAIT_SECONDS = 1.0
"""How long one wait lasts; less than the socket's limit of the client that is used."""

MOST_ENTRIES = 50
START = "0-0"

Entry = tuple[str, str, str]


class News(NamedTuple):
    """Log entries (id, source, text), and whether the run itself should be looked at again."""

    entries: list[Entry]
    look: bool


class Watch:
    """One follower's place in a run; `after` is the id of the last log entry that it has.

    `rang`: the last answer had a bell in it. Without a client, others ask: `AsyncLedger.news`.
    """

    def __init__(self, redis: Redis | None, run_id: str, after: str = START) -> None:
        self._redis: Any = redis
        self._log = keys.log(run_id)
        self._bell = keys.bell(run_id)
        self._after = after
        self._heard = START
        self.rang = False

    def wait(self) -> News:
        """What is new, at once if there is something, else within WAIT_SECONDS.

        After a wait for nothing the run should be looked at too: its bell does not ring for all
        that changes, and is gone ten minutes after it rang.
        """
        return self.heard(self._redis.xread(**self.waits()))

    def rest(self) -> list[Entry]:
        """The next entries of a log that nobody adds to any more; empty at its end."""
        return self.heard(self._redis.xread(**self.reads())).entries

    def waits(self, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """The arguments of the XREAD that waits for news, so long at most."""
        places = {self._log: self._after, self._bell: self._heard}
        return {"streams": places, "count": MOST_ENTRIES, "block": int(seconds * 1000)}

    def reads(self) -> dict[str, Any]:
        """The arguments of the XREAD that reads the log alone, and does not wait."""
        return {"streams": {self._log: self._after}, "count": MOST_ENTRIES}

    def heard(self, reply: Any) -> News:  # noqa: ANN401 - redis-py's
        """What a reply to one of them says; the next one asks for what follows."""
        found = dict(reply)
        self.rang = bool(bells := found.get(self._bell))
        if bells:
            self._heard = bells[-1][0]
        entries = self._entries(found.get(self._log, []))
        return News(entries, look=bool(bells) or not entries)

    def _entries(self, rows: list[tuple[str, dict[str, str]]]) -> list[Entry]:
        if rows:
            self._after = rows[-1][0]
        return [(entry, values["s"], values["t"]) for entry, values in rows]
