"""The promises of the design, asked after every step: what must never be seen."""

from collections import Counter

from tests.model.held import Held
from tests.model.moves import Moves
from tests.model.parts import BUCKET
from tests.model.repository import package, sha256
from tests.model.world import World
from workers.ledger import keys
from workers.ledger.model.run import Run, State

FINAL_STATUS = {"success", "failure", "error"}


class Promises:
    """What the world has shown so far; `check` raises at the first promise that is broken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.moves = Moves(world)
        self.held = Held(world, self.moves)
        self.version = self.moves.version
        world.after_visit = self.check

    def check(self) -> None:
        """All that must hold between two steps."""
        self.world.note_recorded()
        self.moves.check(self.held.admits)
        runs = self.world.runs()
        self._one_run_per_order(runs)
        for run in runs:
            if not run.state.final:
                self._under_way(run)
            elif run.id not in self.moves.ended:
                self.moves.over(run)
        self._one_candidate(runs)
        self.held.check(runs)

    def _one_run_per_order(self, runs: list[Run]) -> None:
        counted = Counter(run.order.key for run in runs)
        for key, count in counted.items():
            asked = max(1 + self.world.retried[key], len(self.world.answers[key]))
            assert count <= asked, f"promise 2: {count} runs of {key}"

    def _under_way(self, run: Run) -> None:
        redis = self.world.parts.inside.redis
        leased = redis.zscore(keys.LEASES, run.id) is not None
        due = redis.zscore(keys.DUE, run.id) is not None
        assert leased or due, f"promise 1: nobody will ever look at {run.id}, {run.state}"
        if run.state is State.WAITING:
            assert not leased, f"promise 7: {run.id} waits and holds a worker"

    def _one_candidate(self, runs: list[Run]) -> None:
        waiting = Counter(run.order.environment for run in runs if run.asks)
        assert all(count == 1 for count in waiting.values()), f"promise 7: {waiting} candidates"

    def check_all(self) -> None:
        """What must hold once things are calm."""
        self.check()
        for run in self.world.runs():
            assert run.state.final, f"promise 1: {run.id} is {run.state}"
            self._told(run)
        for function in self.world.functions:
            self.versions_of(function)
        self.moves.whole()
        self._ancestry()
        self._packages()

    def _told(self, run: Run) -> None:
        hub = self.world.parts.github
        latest = hub.latest(self.world.repository, run.order.commit)
        context = f"slipway/deploy/{run.order.environment}"
        status = latest.get(context)
        assert status, f"promise 1: {run.order.commit} has no {context}"
        assert status.state in FINAL_STATUS, f"promise 1: {context} is {status.state}"

    def versions_of(self, function: str) -> None:
        """Each version is the package of the commit that it names, once."""
        known: set[tuple[str, str]] = set()
        for number, version in self.world.versions(function).items():
            commit, digest = version["Description"], version["CodeSha256"]
            assert digest == sha256(function, self.world.code[commit]), (
                f"promise 4: {function} {number} says {commit} and is another package"
            )
            assert (commit, digest) not in known, f"promise 2: {function} {number} is a second one"
            known.add((commit, digest))

    def _ancestry(self) -> None:
        """The order that was judged by is that of the real git."""
        git = self.world.parts.github.git(self.world.repository)
        for line in git.run("rev-list", "--parents", *self.world.heads.values()).splitlines():
            commit, *parents = line.split()
            assert self.world.parents[commit] == parents

    def _packages(self) -> None:
        cloud = self.world.parts.cloud
        for function in self.world.functions:
            for commit, code in self.world.code.items():
                key = f"{function}/{commit}.zip"
                if key in self._keys(function):
                    assert cloud.read(BUCKET, key) == package(function, code), f"promise 4: {key}"

    def _keys(self, function: str) -> set[str]:
        client = self.world.parts.cloud.client("s3")
        listed = client.list_objects_v2(Bucket=BUCKET, Prefix=f"{function}/")
        return {item["Key"] for item in listed.get("Contents", ())}
