"""State is ours, status is what GitHub is told: one table between them."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from workers import sonar
from workers.ledger.model.run import Run, StageRecord, StageState, State
from workers.ledger.model.stages import BY_NAME, STAGES, Context

OF_A_CHECK: tuple[Context, ...] = tuple(dict.fromkeys(s.status for s in STAGES if s.checks))
"""The contexts of a pull request's check, in the order of the stages that they cover."""
STANDS: dict[Context, str] = {
    "test": "Testing",
    "build": "Tested; building",
    "deploy": "Deploying",
}
"""What a deploy is at, by the context of the stage that it is in."""

Told = Literal["pending", "success", "failure", "error"]
WORST: tuple[Told, ...] = ("failure", "error", "pending", "success")


class Status(NamedTuple):
    """One commit status; `sha` and `context` say which, the rest what."""

    sha: str
    context: str
    state: Told
    description: str


def statuses(run: Run) -> list[Status]:
    """What GitHub should show for a run now: a check and a deploy never write one context."""
    return _of_a_check(run) if run.order.purpose == "check" else _of_a_deploy(run)


def taken_back(run: Run, commit: str) -> Status:
    """What GitHub should show for a commit that a rollback took out of its environment."""
    order = run.order
    part = order.rollback.function if order.rollback else None
    what = f"{order.environment}:{part}" if part else order.environment
    said = f"Rolled back: {what} runs {order.commit[:7]} again"
    return Status(commit, f"slipway/deploy/{order.environment}", "error", said)


def worst(runs: Sequence[Run]) -> list[tuple[Run, Status]]:
    """Of the checks of one head for several bases: each context's worst, and whose it is."""
    shown: dict[str, tuple[Run, Status]] = {}
    for run in runs:
        for status in statuses(run):
            known = shown.get(status.context)
            if known is None or WORST.index(status.state) < WORST.index(known[1].state):
                shown[status.context] = (run, status)
    if len(runs) == 1:
        return list(shown.values())
    return [(run, _named(run, status)) for run, status in shown.values()]


def _named(run: Run, status: Status) -> Status:
    """A status that says for which base it is."""
    base = run.order.pull_request.base if run.order.pull_request else None
    return status._replace(description=f"{base}: {status.description}") if base else status


def _of_a_check(run: Run) -> list[Status]:
    told = []
    for name in OF_A_CHECK:
        records = [record for record in run.stages if BY_NAME[record.name].status == name]
        if records:
            verdict = _verdict(run, records, name)
            told.append(Status(run.order.commit, f"slipway/{name}", *verdict))
    return told


def _of_a_deploy(run: Run) -> list[Status]:
    """One status for all of it, its test and build included; on a merged head as well."""
    order = run.order
    context = f"slipway/deploy/{order.environment}"
    told = Status(order.commit, context, *_verdict(run, list(run.stages), "deploy"))
    pull = order.pull_request
    if pull and order.purpose == "deploy" and pull.head != order.commit:
        return [told, told._replace(sha=pull.head)]
    return [told]


def _verdict(run: Run, records: list[StageRecord], context: Context) -> tuple[Told, str]:
    if all(record.state is StageState.SUCCEEDED for record in records):
        said = (r.summary for r in records if _speaks(r, context))
        return "success", "; ".join(filter(None, said)) or "Done"
    if not run.state.final:
        waiting = (r.summary or "Waiting" for r in records if r.state is StageState.WAITING)
        return "pending", next(waiting, _stands(run, records))
    ours = any(record.state is StageState.FAILED for record in records)
    why = run.error or "it ended without a word"
    if run.state is State.FAILED:
        state: Told = "failure" if run.fault == "user" else "error"
        return state, why if ours else f"Not run: {why}"
    return "error", f"{run.state.capitalize()}: {why}"


def _speaks(record: StageRecord, context: Context) -> bool:
    """Whether a stage's summary is part of a status's text when all went well."""
    stage = BY_NAME[record.name]
    return stage.speaks and stage.status == context and record.summary != sonar.NOT_ASKED


def _stands(run: Run, records: list[StageRecord]) -> str:
    """Where a deploy stands, in so few words that GitHub is not told of every stage."""
    if run.order.purpose == "check":
        return "In progress"
    open_ones = (r.name for r in records if r.state is not StageState.SUCCEEDED)
    name = next(open_ones, None)
    return STANDS[BY_NAME[name].status if name else "deploy"]
