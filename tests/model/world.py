"""One repository with two functions and three environments, and all that a machine does to them."""

import json
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Literal

from tests.model.parts import ALARM, BRANCHES, Parts
from tests.model.visits import Visits
from tests.stand_ins.github.events import pull_request
from workers import report
from workers.ledger import keys
from workers.ledger.model.run import Run, State

ROUNDS = 60


@dataclass(frozen=True)
class Locked:
    """What holds an environment, as people were told.

    `run` is the rollback; `begun` are the runs that had begun to move aliases by then.
    """

    kind: Literal["lock", "rollback"]
    run: str = ""
    expires: bool = False
    begun: frozenset[str] = frozenset()


class World(Visits):
    """One example's world."""

    def __init__(self, parts: Parts, functions: str = "AB") -> None:
        super().__init__(parts, functions)
        self.post: list[tuple[str, dict[str, Any], str]] = []
        self.answers: defaultdict[str, set[str]] = defaultdict(set)
        self.retried: Counter[str] = Counter()
        self.disturbed: set[str] = set()
        self.locks: dict[str, Locked] = {}
        self.recorded: list[Run] = []
        self.alarm("OK")

    def announce(self, branch: str, *, told: bool, merged: bool = False) -> None:
        """Put the delivery of a branch as it is now into the post, and deliver it if `told`.

        A merge of a pull request has two, in any order.
        """
        hub = self.parts.github
        payload = hub.push_payload(self.repository, branch)
        self.post.append(("push", payload, str(uuid.uuid4())))
        if merged:
            repos = (hub.repository(self.repository),) * 2
            pull = hub.open_pull_request(self.repository, branch, branch)
            pull = hub._change(
                pull, state="closed", merged=True, merge_commit_sha=self.heads[branch]
            )
            event = pull_request("closed", pull, repos, hub.links)
            self.post.append(("pull_request", event, str(uuid.uuid4())))
        if told:
            self.deliver(len(self.post) - 1)

    def deliver(self, number: int, *, anew: bool = False) -> None:
        """Deliver one of the post, perhaps once more, perhaps under another number."""
        event, payload, guid = self.post[number]
        verdicts = {run.id: self._verdict(run) for run in self.runs()}
        answer = self.parts.inside.deliver(event, payload, "" if anew else guid)
        run_id = answer["run_id"]
        known = self.answers[self.run(run_id).order.key]
        if known and run_id not in known:
            self.parts.counts["run again"] += 1
            kept = [one for one in known if verdicts[one]]
            assert not kept, f"promise 2: {run_id} is one more than {kept}"
        known.add(run_id)

    def _verdict(self, run: Run) -> bool:
        """Whether a run stands: it is under way, or what it made live is what was so last."""
        if run.state is not State.SUCCEEDED:
            return not run.state.final and not self.parts.inside.redis.hexists(
                keys.run(run.id), "cancel"
            )
        last = self.released(run.order.environment or "")[-1]
        return last.order.commit == run.order.commit

    # People.

    def call(self, path: str, who: str = "alice", **body: Any) -> tuple[int, dict[str, Any]]:
        """POST to the API as somebody; status and JSON."""
        return self.parts.inside.call(path, who, **body)

    def note_recorded(self) -> None:
        """Remember the runs that are on record as live, in that order."""
        known = {run.id for run in self.recorded}
        self.recorded += [run for run in self.runs() if run.recorded and run.id not in known]

    def released(self, environment: str, function: str | None = None) -> list[Run]:
        """The runs that have made something live, oldest first."""
        return [
            run
            for run in self.recorded
            if run.order.environment == environment
            and (not function or function in {one.function for one in run.releases})
        ]

    def locked(self, environment: str, lock: Locked) -> None:
        """Remember that somebody has locked an environment just now."""
        begun = frozenset(run.id for run in self.open() if self._begun(run, lock.kind))
        self.locks[environment] = Locked(lock.kind, lock.run, lock.expires, begun)

    def _begun(self, run: Run, kind: str) -> bool:
        if self.sleeper and self.sleeper.run_id == run.id:
            return True
        # A gradual release goes back when somebody locks; a rollback calls it off.
        gradual = run.rollout is not None and kind == "lock"
        return (run.unfinished or run.recorded) and not gradual

    def rolled_back(self, environment: str, run_id: str) -> None:
        """Remember a rollback that was taken on."""
        self.answers[self.run(run_id).order.key].add(run_id)
        if self.locks.get(environment, Locked("lock")).run != run_id:
            self.locked(environment, Locked("rollback", run_id))

    def alarm(self, state: str) -> None:
        """Set the alarm that guards gradual releases."""
        self.parts.cloud.client("cloudwatch").set_alarm_state(
            AlarmName=ALARM, StateValue=state, StateReason="a story says so"
        )

    def out_of_patience(self, run_id: str) -> None:
        """The time for an approval is over."""
        self.parts.inside.redis.hset(keys.run(run_id), "waiting_since", 1)

    # The end.

    def drain(self) -> None:
        """Things calm down: every run is visited until it is over, and GitHub is told."""
        self.alarm("OK")
        for environment in BRANCHES.values():
            self.call(f"/environments/{environment}/unlock")
            self.locks.pop(environment, None)
        for _ in range(ROUNDS):
            pending = self.open()
            if not pending:
                break
            self.time_passes()
            for run in pending:
                if run.asks:
                    self.out_of_patience(run.id)
                self.visit(run.id)
        for run in self.runs():
            report.report(self.parts.inside.shop, run.id, str(uuid.uuid4()))

    # What there is.

    def story(self) -> str:
        """All that may explain a broken promise."""
        lines = [
            f"{c[:7]} code {self.code[c]} after {[p[:7] for p in self.parents[c]]}"
            for c in self.code
        ]
        lines += [str(move) for move in self.parts.strict.moves]
        for run in self.runs():
            head = (
                f"{run.id} {run.order.environment} {run.order.commit[:7]} {run.state} {run.error}"
            )
            lines += [head, self.parts.inside.log(run.id)]
        return "\n".join(lines)

    def versions(self, function: str) -> dict[str, dict[str, Any]]:
        """A function's published versions, by number."""
        return {v["Version"]: v for v in self.parts.cloud.versions(function)}

    def live(self, function: str, alias: str) -> str | None:
        """The version that an alias points to, as moto has it."""
        found = self.parts.cloud.alias(function, alias)
        return str(found["FunctionVersion"]) if found else None

    def record(self, run_id: str, name: str) -> Any:
        """A field of a run that holds JSON."""
        text = self.parts.inside.redis.hget(keys.run(run_id), name)
        return json.loads(text) if text else None
