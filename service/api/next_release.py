"""What the head of a branch would make live in an environment, and what has become of that."""

from functools import cached_property
from typing import Any

from service.web import Web
from workers.ledger.history import Query
from workers.ledger.model.observation import Head, Observation
from workers.ledger.model.released import Released
from workers.ledger.model.run import Run, State
from workers.ledger.observations import Observations

NOTHING = "nothing new"


class Branches:
    """The heads of an environment's branches, as far as they were looked at or told of since."""

    def __init__(self, web: Web, environment: str, found: Observation | None) -> None:
        self._web = web
        self._environment = environment
        self._found = found

    @cached_property
    def _heads(self) -> list[Head]:
        return [self._newest(head) for head in (self._found.heads if self._found else ())]

    def _newest(self, head: Head) -> Head:
        """A push that came after the look knows better."""
        match = {"environment": self._environment, "purpose": "deploy"}
        query = Query(repository=head.repository, branch=head.branch, match=match)
        for run in self._web.ledger.history.page(query, 1).runs:
            if self._found and run.created_at > self._found.at:
                return head.model_copy(update={"commit": run.order.commit, "fault": None})
        return head

    def shown(self) -> list[dict[str, Any]]:
        """Each branch's head and its run."""
        return [
            {
                "repository": head.repository,
                "branch": head.branch,
                "commit": head.commit,
                "fault": head.fault,
                "run_id": run.id if (run := self._run(head)) else None,
                "state": run.state if run else None,
            }
            for head in self._heads
        ]

    def _run(self, head: Head) -> Run | None:
        if head.commit is None:
            return None
        ledger = self._web.ledger
        observations = Observations(ledger.redis)
        run_id = observations.run_of(head.repository_id, self._environment, head.commit)
        return ledger.history.run(run_id) if run_id else None

    def next_of(self, row: Released) -> dict[str, Any]:
        """What would be live next of a function, by its latest release."""
        head = self._head_of(row)
        if head is None or head.commit is None:
            why = "unknown" if head is None else head.fault or f"there is no branch {head.branch}"
            return {"commit": None, "run_id": None, "state": None, "text": why}
        run = None if head.commit == row.commit else self._run(head)
        return {
            "commit": head.commit,
            "run_id": run.id if run else None,
            "state": run.state if run else None,
            "text": _text(head.commit, row.commit, run),
        }

    def _head_of(self, row: Released) -> Head | None:
        """The head of the branch that the release came from."""
        heads = [head for head in self._heads if head.repository == row.repository]
        run = self._web.ledger.history.run(row.run or "") if len(heads) > 1 else None
        known = [head for head in heads if run and head.branch == run.order.branch]
        return next(iter(known or heads), None)


def _text(commit: str, live: str | None, run: Run | None) -> str:
    """What will be, or was, made of a head, in a few words."""
    short = commit[:7]
    if commit == live:
        return NOTHING
    if run is None:
        return f"would deploy {short}"
    if not run.state.final:
        return f"deploys {short} now: run {run.id} is {run.state}"
    if run.state is State.SUCCEEDED:
        return f"{short} was live, and is no longer (run {run.id})"
    return f"{short} did not go live: run {run.id} {run.state}"
