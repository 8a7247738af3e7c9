"""State is ours, status is what GitHub is told: one table between them."""

from typing import Literal, NamedTuple

from workers import sonar
from workers.run import Run, StageRecord, StageState, State

STAGES_OF = {
    "test": ("checkout", "test", "analyze"),
    "build": ("build",),
    "deploy": ("publish", "deploy", "verify", "approve", "release"),
}
SPEAK = {"test": ("test", "analyze"), "build": ("build",), "deploy": ("release",)}
"""The stages whose summaries are a status's text when all went well."""

Told = Literal["pending", "success", "failure", "error"]


class Status(NamedTuple):
    """One commit status; `sha` and `context` say which, the rest what."""

    sha: str
    context: str
    state: Told
    description: str


def statuses(run: Run) -> list[Status]:
    """What GitHub should show for a run now."""
    told = []
    for name, stages in STAGES_OF.items():
        records = [record for record in run.stages if record.name in stages]
        if not records:
            continue
        context = f"slipway/{name}"
        if name == "deploy":
            context = f"{context}/{run.order.environment}"
        told.append(Status(run.order.commit, context, *_verdict(run, records, SPEAK[name])))
    pull = run.order.pull_request
    if pull and run.order.purpose == "deploy" and pull.head != run.order.commit:
        told += [s._replace(sha=pull.head) for s in told if s.context.startswith("slipway/deploy/")]
    return told


def _verdict(run: Run, records: list[StageRecord], speak: tuple[str, ...]) -> tuple[Told, str]:
    if all(record.state is StageState.SUCCEEDED for record in records):
        said = (r.summary for r in records if r.name in speak and r.summary != sonar.NOT_ASKED)
        return "success", "; ".join(filter(None, said)) or "Done"
    if not run.state.final:
        waiting = (r.summary or "Waiting" for r in records if r.state is StageState.WAITING)
        return "pending", next(waiting, "In progress")
    ours = any(record.state is StageState.FAILED for record in records)
    why = run.error or "it ended without a word"
    if run.state is State.FAILED:
        state: Told = "failure" if run.fault == "user" else "error"
        return state, why if ours else f"Not run: {why}"
    return "error", f"{run.state.capitalize()}: {why}"
