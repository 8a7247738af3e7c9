"""How workers visit runs: to the end, until SIGKILL, or asleep until their lease is another's."""

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from tests.model.parts import Parts, unhurried
from tests.model.repository import Repository
from tests.model.watched import HAND
from workers.ledger import keys
from workers.ledger.model.run import Run
from workers.pipeline import walk

PATIENCE = 60.0
"""Seconds that what was held up stays so, where no story lets it go on."""


@dataclass
class Sleeper:
    """A worker that was stopped, or has died, with something on its way."""

    run_id: str
    child: int
    dies: bool
    reached: Event = field(default_factory=Event)
    go: Event = field(default_factory=Event)
    over: Event = field(default_factory=Event)

    def stop(self) -> None:
        """Stop it here and now; what it has sent waits for `go`."""
        os.kill(self.child, signal.SIGKILL if self.dies else signal.SIGSTOP)
        self.reached.set()
        self.go.wait(PATIENCE)

    def gone(self) -> bool:
        """Whether its process has ended, by itself or not."""
        return os.waitpid(self.child, os.WNOHANG) != (0, 0)


class Visits(Repository):
    """The runs of a repository, and the workers that visit them.

    `let_go` are those that an unlock has made due, with the fence that they had then.
    """

    def __init__(self, parts: Parts, functions: str) -> None:
        super().__init__(parts, functions)
        self.sleeper: Sleeper | None = None
        self.after_visit: Callable[[], None] = lambda: None
        self.let_go: dict[str, int] = {}
        parts.strict.forget()

    def run(self, run_id: str) -> Run:
        """A run as the ledger has it."""
        return self.parts.inside.run(run_id)

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        return [self.run(run_id) for run_id in self.parts.inside.redis.zrange(keys.RUNS, 0, -1)]

    def is_let_go(self, run: Run) -> bool:
        """Whether no worker has got it since an unlock: one may have died before it could."""
        return self.let_go.get(run.id) == run.fence

    def open(self) -> list[Run]:
        """Those that are not over."""
        return [run for run in self.runs() if not run.state.final]

    def due(self, run_id: str) -> None:
        """A parked run wakes, the lease of a dead one expires: nobody is at work between steps."""
        redis = self.parts.inside.redis
        self.parts.inside.hurry(run_id)
        if redis.zscore(keys.LEASES, run_id) is not None:
            redis.zadd(keys.LEASES, {run_id: 0})

    def time_passes(self) -> None:
        """The same for all runs; and the time of each gradual step is over."""
        redis = self.parts.inside.redis
        for run in self.open():
            self.due(run.id)
            if run.rollout and run.rollout.next_at:
                past = run.rollout.model_copy(update={"next_at": 1})
                redis.hset(keys.run(run.id), "rollout", past.model_dump_json())

    def visit(self, run_id: str) -> str:
        """One visit of a worker, in this process."""
        self.due(run_id)
        with self._working(run_id):
            why = self.parts.inside.advance(run_id)
        self.after_visit()
        return why

    def killed_visit(self, run_id: str, arm: Callable[[Callable[[], None]], None]) -> bool:
        """One visit of a worker process that SIGKILL ends where `arm` says; whether it struck."""
        with self._forked(run_id) as (child, begin):
            arm(lambda: os.kill(child, signal.SIGKILL))
            begin()
            _, status = os.waitpid(child, 0)
        self.after_visit()
        return os.WIFSIGNALED(status)

    def sleeping_visit(
        self, run_id: str, arm: Callable[[Sleeper], None], *, dies: bool
    ) -> Sleeper | None:
        """One visit of a worker process that falls asleep, or dies, where `arm` says.

        Its lease is over then. None if it has ended before.
        """
        with self._forked(run_id) as (child, begin):
            sleeper = Sleeper(run_id, child, dies)
            arm(sleeper)
            begin()
            ended = False
            while not ended and not sleeper.reached.wait(0.002):
                ended = not sleeper.reached.is_set() and sleeper.gone()
        if not ended:
            if dies:
                os.waitpid(child, 0)
            self.sleeper = sleeper
            self.due(run_id)
        self.after_visit()
        return self.sleeper

    def wake(self) -> None:
        """The sleeper goes on, if there is one; or what it had sent arrives."""
        sleeper, self.sleeper = self.sleeper, None
        if sleeper is None:
            return
        with self._working(sleeper.run_id):
            if not sleeper.dies:
                os.kill(sleeper.child, signal.SIGCONT)
            sleeper.go.set()
            assert sleeper.over.wait(PATIENCE)
            if not sleeper.dies:
                os.waitpid(sleeper.child, 0)
        self.after_visit()

    def close(self) -> None:
        """End a sleeper that a story has left behind."""
        sleeper, self.sleeper = self.sleeper, None
        if sleeper:
            if not sleeper.dies:
                os.kill(sleeper.child, signal.SIGKILL)
                os.waitpid(sleeper.child, 0)
            sleeper.go.set()
            sleeper.over.wait(1)

    @contextmanager
    def _forked(self, run_id: str) -> Iterator[tuple[int, Callable[[], None]]]:
        """A worker process that is about to visit a run, and what lets it begin."""
        self.due(run_id)
        ready, go = os.pipe()
        # The child leaves by _exit or by SIGKILL: nothing of this process is undone in it.
        child = os.fork()
        if child == 0:
            os.read(ready, 1)
            try:
                unhurried(run_id)
                walk.advance(self.parts.doomed.shop, run_id, str(uuid.uuid4()))
            finally:
                os._exit(0)
        try:
            with self._working(run_id):
                yield child, lambda: _written(go)
        finally:
            os.close(ready)
            os.close(go)

    @contextmanager
    def _working(self, run_id: str) -> Iterator[None]:
        strict = self.parts.strict
        strict.by = run_id
        try:
            yield
        finally:
            strict.by = HAND
            strict.calm()
            self.parts.gate.calm()


def _written(pipe: int) -> None:
    os.write(pipe, b"x")
