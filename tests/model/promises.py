"""The promises of the design, asked after every step: what must never be seen."""

from collections import Counter
from typing import Any

from tests.model.watched import HAND, Move
from tests.model.world import BRANCHES, BUCKET, World, package, sha256
from workers.ledger import keys
from workers.run import Run, State

ALIASES = {environment: branch for branch, environment in BRANCHES.items()}
FINAL_STATUS = {"success", "failure", "error"}


class Promises:
    """What the world has shown so far; `check` raises at the first promise that is broken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.live: dict[tuple[str, str], str | None] = {}
        self.outstanding: dict[tuple[str, str], tuple[Move, str | None]] = {}
        self.ended: set[str] = set()
        self._moves: list[tuple[Move, dict[str, str], str | None]] = []
        self._versions: dict[str, dict[str, dict[str, Any]]] = {}
        world.parts.strict.on_move = self._note

    def _note(self, move: Move) -> None:
        seen = self._shown(move) if move.by == HAND else None
        self._moves.append((move, dict(self.world.heads), seen))

    def _shown(self, move: Move) -> str | None:
        """The commit that a version moved by hand stands for: our record's, else its own."""
        if move.after is None:
            return None
        record = self.world.parts.inside.shop.ledger.history.live(
            f"eu-west-3/{move.function}/{move.alias}"
        )
        if record.get("version") == move.after:
            return record["commit"]
        return str(self.version(move.function, move.after)["Description"])

    def version(self, function: str, number: str) -> dict[str, Any]:
        """One published version."""
        if number not in self._versions.get(function, {}):
            self._versions[function] = self.world.versions(function)
        return self._versions[function][number]

    def check(self) -> None:
        """All that must hold between two steps."""
        for move, heads, seen in self._moves:
            self._moved(move, heads, seen)
        self._moves.clear()
        runs = self.world.runs()
        self._one_run_per_order(runs)
        for run in runs:
            if not run.state.final:
                self._under_way(run)
            elif run.id not in self.ended:
                self.ended.add(run.id)
                self._over(run)
        self._one_candidate(runs)

    def _moved(self, move: Move, heads: dict[str, str], seen: str | None) -> None:
        place = (move.function, move.alias)
        if move.by == HAND:
            self.live[place] = seen
            return
        known = self.outstanding.get((move.by, move.function))
        if known and known[0].before == move.after:
            # It puts back what it had moved.
            self.live[place] = known[1]
            del self.outstanding[move.by, move.function]
            return
        run = self.world.run(move.by)
        commit, before = run.order.commit, self.live.get(place)
        assert move.after is not None, f"a run removed what it had not made: {move}"
        digest = self.version(move.function, move.after)["CodeSha256"]
        assert digest == sha256(move.function, self.world.code[commit]), (
            f"promise 4: {move} for {commit} is another package"
        )
        self._forward(move, commit, before, heads)
        if run.order.environment == "production":
            votes = self.world.record(run.id, "votes") or []
            assert any(v["verdict"] == "approve" for v in votes), f"promise 7: unapproved {move}"
        if known is None:
            self.outstanding[move.by, move.function] = (move, before)
        self.live[place] = commit

    def _forward(self, move: Move, commit: str, before: str | None, heads: dict[str, str]) -> None:
        if before is None or before in self.world.ancestors(commit):
            return
        assert commit not in self.world.ancestors(before), (
            f"promise 3: {move} takes {before[:7]} back to its ancestor {commit[:7]}"
        )
        assert heads[ALIASES[move.alias]] == commit, (
            f"promise 3: {move} is unrelated to {before[:7]} and not the branch's head"
        )

    def _one_run_per_order(self, runs: list[Run]) -> None:
        counted = Counter(run.order.key for run in runs)
        for key, count in counted.items():
            assert count <= 1 + self.world.retried[key], f"promise 2: {count} runs of {key}"

    def _under_way(self, run: Run) -> None:
        redis = self.world.parts.inside.redis
        leased = redis.zscore(keys.LEASES, run.id) is not None
        due = redis.zscore(keys.DUE, run.id) is not None
        assert leased or due, f"promise 1: nobody will ever look at {run.id}, {run.state}"
        if run.state is State.WAITING:
            assert not leased, f"promise 7: {run.id} waits and holds a worker"

    def _one_candidate(self, runs: list[Run]) -> None:
        waiting = Counter(r.order.environment for r in runs if r.state is State.WAITING)
        assert all(count == 1 for count in waiting.values()), f"promise 7: {waiting} candidates"

    def _over(self, run: Run) -> None:
        alias = run.order.environment or ""
        for function in self.world.functions:
            known = self.outstanding.pop((run.id, function), None)
            version = self.world.parts.strict.live.get((function, alias))
            if run.state is State.SUCCEEDED:
                self._runs(run, function, alias, version)
            elif known and known[0].after == version and self._last_mover(known[0]) == run.id:
                told = "may still run version" in self.world.parts.inside.log(run.id)
                half = f"promise 5: {run.id} is {run.state}, and {function} runs its {version}"
                assert run.id in self.world.disturbed, half
                assert told, half

    def _last_mover(self, move: Move) -> str:
        moves = self.world.parts.strict.moves
        return [m.by for m in moves if (m.function, m.alias) == (move.function, move.alias)][-1]

    def _runs(self, run: Run, function: str, alias: str, version: str | None) -> None:
        """A run that succeeded: this function runs its package, unless a hand was quicker."""
        if run.id in self.world.disturbed and self.live.get((function, alias)) != run.order.commit:
            return
        wanted = sha256(function, self.world.code[run.order.commit])
        assert version, f"promise 5: {run.id} succeeded without {function}:{alias}"
        found = self.version(function, version)["CodeSha256"]
        assert found == wanted, f"promise 5: {run.id} succeeded, {function}:{alias} is another's"
        self.live[function, alias] = run.order.commit

    def check_all(self) -> None:
        """What must hold once things are calm."""
        self.check()
        for run in self.world.runs():
            assert run.state.final, f"promise 1: {run.id} is {run.state}"
            self._told(run)
        for function in self.world.functions:
            self.versions_of(function)
        self._ancestry()
        self._packages()

    def _told(self, run: Run) -> None:
        hub = self.world.parts.github
        latest = hub.latest(self.world.repository, run.order.commit)
        for context in ("slipway/test", "slipway/build", f"slipway/deploy/{run.order.environment}"):
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
