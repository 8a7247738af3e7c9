"""What has happened: one run, a page of runs, one task, the log, the counters."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from redis import Redis

from config.log_text import as_text
from workers.ledger import keys
from workers.ledger.codec import run_of
from workers.ledger.model.notes import NAMES, Notes
from workers.ledger.model.order import Order
from workers.ledger.model.released import Released
from workers.ledger.model.run import Run, State

SCAN = 200
LATEST = 50
BRANCHES_AT_ONCE = 20


def _deploys(order: str | None) -> bool:
    """Whether an order, as it is written down, is for a deploy; that of a forgotten run is None."""
    return order is not None and json.loads(order)["purpose"] == "deploy"


COUNTERS = (
    *(f"runs_{state}" for state in State if state.final),
    "runs_accepted",
    "deliveries_repeated",
    "leases_lost",
    "aliases_repaired",
    "versions_pruned",
    "tokens_refused",
)
"""All that is counted: a counter that never struck is 0, or an alarm on it would stay silent."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which runs; times in milliseconds since 1970, cursors as a page gave them."""

    repository: str | None = None
    branch: str | None = None
    since: int | None = None
    until: int | None = None
    cursor: int | None = None
    match: dict[str, str] = field(default_factory=dict)

    @property
    def index(self) -> str:
        """The narrowest index that holds them all."""
        if self.repository and self.branch:
            return keys.branch(self.repository, self.branch)
        return keys.repository(self.repository) if self.repository else keys.RUNS

    def admits(self, run: Run) -> bool:
        """Whether the run is one of them, as far as the index doesn't say."""
        facts = {
            "state": str(run.state),
            "environment": run.order.environment,
            "purpose": run.order.purpose,
            "commit": run.order.commit,
            "branch": run.order.branch,
        }
        wanted = dict(self.match) | ({"branch": self.branch} if self.branch else {})
        return all(facts[name] == value for name, value in wanted.items())


@dataclass(frozen=True, slots=True)
class Page:
    """Some runs, newest first, and the cursor for those that follow."""

    runs: tuple[Run, ...]
    cursor: int | None


class History:
    """Reads of the ledger."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    def run(self, run_id: str) -> Run | None:
        """One run, or None when it is unknown or forgotten."""
        fields = self._redis.hgetall(keys.run(run_id))
        return run_of(run_id, fields) if fields else None

    def notes(self, run_id: str) -> Notes:
        """Returns what the stages of a run have left for each other."""
        return Notes.of(dict(zip(NAMES, self.fields(run_id, *NAMES), strict=True)))

    def fields(self, run_id: str, *names: str) -> list[str | None]:
        """Fields of a run that only its stages read."""
        values: list[str | None] = self._redis.hmget(keys.run(run_id), names)
        return values

    def working(self, run_id: str, fence: int) -> bool:
        """Whether the visit to a run that bears this fence is the one at work."""
        state, last = self.fields(run_id, "state", "fence")
        return state == State.RUNNING and last == str(fence)

    def page(self, query: Query, limit: int) -> Page:
        """The newest runs that the query admits, `limit` of them at most."""
        found: list[Run] = []
        last = None
        for run, score in self._walk(query):
            if len(found) == limit:
                return Page(tuple(found), last)
            if query.admits(run):
                found.append(run)
                last = score
        return Page(tuple(found), None)

    def _walk(self, query: Query) -> Iterator[tuple[Run, int]]:
        top: str | int = "+inf" if query.until is None else query.until * 1000
        if query.cursor is not None:
            top = f"({query.cursor}"
        bottom = "-inf" if query.since is None else query.since * 1000
        while True:
            rows = self._redis.zrevrangebyscore(
                query.index, top, bottom, start=0, num=SCAN, withscores=True
            )
            for (run_id, score), fields in zip(rows, self._hashes(rows), strict=True):
                if fields:
                    yield run_of(run_id, fields), int(score)
            if len(rows) < SCAN:
                return
            top = f"({int(rows[-1][1])}"

    def _hashes(self, rows: list[tuple[str, float]]) -> list[dict[str, str]]:
        pipe = self._redis.pipeline(transaction=False)
        for run_id, _ in rows:
            pipe.hgetall(keys.run(run_id))
        hashes: list[dict[str, str]] = pipe.execute()
        return hashes

    def waiting(self, place: str) -> str | None:
        """The run that waits for people at a place, or did last."""
        found: str | None = self._redis.get(keys.waiting(place))
        return found

    def heads(self, repository_id: int, branch: str) -> list[tuple[str, str, bool]]:
        """What was told of a branch, the latest last: heads before and after, whether forced."""
        text = self._redis.hget(keys.HEADS, keys.head(repository_id, branch))
        return [
            (before, after, forced == "1") for before, after, forced in json.loads(text or "[]")
        ]

    def archived(self, run_id: str) -> bool:
        """Whether the run's log is in S3 and no longer here."""
        (told,) = self.fields(run_id, "told")
        gone = not self._redis.exists(keys.log(run_id))
        return gone and json.loads(told or "{}").get("log", "").startswith("s3:")

    def live(self, place: str) -> Released | None:
        """Returns what was last made live at a place, None if nothing was."""
        return self.lives([place])[0]

    def lives(self, places: Sequence[str]) -> list[Released | None]:
        """Returns what was last made live at each place, in one round trip."""
        texts = self._redis.hmget(keys.LIVE, places) if places else []
        return [Released.model_validate_json(text) if text else None for text in texts]

    def released(self, environment: str, start: int, count: int) -> list[Released]:
        """Returns what was made live in an environment, newest first."""
        rows = self._redis.lrange(keys.released(environment), start, start + count - 1)
        return [Released.model_validate_json(row) for row in rows]

    def claimed(self, places: Sequence[str], but: str) -> str | None:
        """The run whose gradual release has one of these aliases now, another than `but`."""
        holders = self._redis.hmget(keys.ROLLOUTS, places) if places else []
        for holder in dict.fromkeys(holders):
            run = self.run(holder) if holder and holder != but else None
            if run and not run.state.final:
                return run.id
        return None

    def later(self, run_id: str, order: Order) -> Iterator[Run]:
        """The runs of the same branch that were accepted after this one, newest first."""
        (score,) = self.fields(run_id, "score")
        index = keys.branch(order.repository, order.branch)
        for other in self._redis.zrevrangebyscore(index, "+inf", f"({score}", start=0, num=LATEST):
            run = self.run(other)
            if run is not None:
                yield run

    def deployed(self) -> Iterator[Run]:
        """The newest deploy of each branch that had one among its latest runs."""
        indexes = sorted(self._redis.smembers(keys.BRANCHES))
        for start in range(0, len(indexes), BRANCHES_AT_ONCE):
            ids = self._latest_deploys(indexes[start : start + BRANCHES_AT_ONCE])
            yield from filter(None, map(self.run, ids))

    def _latest_deploys(self, indexes: Sequence[str]) -> list[str]:
        """The run of each of these branches that was its newest deploy, in two round trips."""
        pipe = self._redis.pipeline(transaction=False)
        for index in indexes:
            pipe.zrevrange(index, 0, LATEST)
        latest = pipe.execute()
        for run_id in chain.from_iterable(latest):
            pipe.hget(keys.run(run_id), "order")
        orders = iter(pipe.execute())
        found = ([run_id for run_id in ids if _deploys(next(orders))] for ids in latest)
        return [ids[0] for ids in found if ids]

    def alive(self) -> Iterator[Run]:
        """The runs that have not ended."""
        # In one step: a run that is parked between two reads would be in neither.
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrange(keys.DUE, 0, -1)
            pipe.zrange(keys.LEASES, 0, -1)
            due, leased = pipe.execute()
        for run_id in dict.fromkeys([*due, *leased]):
            run = self.run(run_id)
            if run and not run.state.final:
                yield run

    def replaced(self, run: Run) -> bool:
        """Whether another run of the same order has taken its place since."""
        latest = self._redis.get(keys.order(run.order.key))
        return latest is not None and latest != run.id

    def kept(self, key: str) -> str | None:
        """What an earlier run has left for others under a key."""
        found: str | None = self._redis.get(key)
        return found

    def task(self, task_id: str) -> dict[str, str] | None:
        """One queued task as the ledger saw it, or None."""
        return self._redis.hgetall(keys.task(task_id)) or None

    def log(self, run_id: str, after: str = "-") -> list[tuple[str, str, str]]:
        """The log's entries after one of them: id, source, text."""
        start = after if after == "-" else f"({after}"
        rows = self._redis.xrange(keys.log(run_id), min=start, max="+")
        return [(entry, values["s"], values["t"]) for entry, values in rows]

    def text(self, run_id: str) -> str:
        """The log as text: each line behind the name of what said it."""
        return self.cut_note(run_id) + as_text(self.log(run_id))

    def cut_note(self, run_id: str) -> str:
        """A line that says how much of the log's beginning is not here, and where it is."""
        cut, where = self.fields(run_id, "log_cut", "log_whole")
        if not cut:
            return ""
        whole = f"; the whole log is in {where}, when the run has ended" if where else ""
        return f"[slipway] the first {cut} bytes of this log were cut{whole}\n"

    def gauges(self) -> dict[str, int]:
        """How much there is now, and since when the oldest due run has waited (milliseconds)."""
        pipe = self._redis.pipeline(transaction=False)
        for key in (keys.DUE, keys.LEASES, keys.REPORTS, keys.RUNS):
            pipe.zcard(key)
        pipe.zrange(keys.DUE, 0, 0, withscores=True)
        pipe.time()
        due, leases, reports, runs, oldest, (seconds, micros) = pipe.execute()
        now = seconds * 1000 + micros // 1000
        waited = max(0, now - int(oldest[0][1])) if oldest else 0
        names = ("due", "running", "reports", "kept", "oldest_due_milliseconds")
        return dict(zip(names, (due, leases, reports, runs, waited), strict=True))

    def counters(self) -> dict[str, int]:
        """What has been counted since the ledger began."""
        struck = self._redis.hgetall(keys.METRICS)
        return dict.fromkeys(COUNTERS, 0) | {name: int(value) for name, value in struck.items()}
