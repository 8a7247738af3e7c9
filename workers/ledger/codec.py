"""A run as it lies in Redis, and back."""

import json
from typing import Any

from pydantic import TypeAdapter

from workers.ledger.model.masked import Mask
from workers.ledger.model.order import Order, PullRequest
from workers.ledger.model.rollout import Rollout
from workers.ledger.model.run import (
    CheckRecord,
    Release,
    Run,
    StageRecord,
    StageState,
    State,
    Untidy,
    Untold,
)

STAGES = TypeAdapter(tuple[StageRecord, ...])
RELEASES = TypeAdapter(tuple[Release, ...])
PEOPLE = TypeAdapter(tuple[str, ...])
CHECKS = TypeAdapter(tuple[CheckRecord, ...])
UNTIDY = TypeAdapter(tuple[Untidy, ...])


def stages_text(stages: tuple[StageRecord, ...], mask: Mask = str) -> str:
    """The stages as JSON."""
    return STAGES.dump_json(stages, exclude_none=True, context=mask).decode()


def releases_text(releases: tuple[Release, ...]) -> str:
    """The releases as JSON."""
    return RELEASES.dump_json(releases).decode()


def checks_text(checks: tuple[CheckRecord, ...], mask: Mask = str) -> str:
    """The checks as JSON."""
    return CHECKS.dump_json(checks, exclude_none=True, context=mask).decode()


def untidy_text(untidy: tuple[Untidy, ...], mask: Mask = str) -> str:
    """What was left behind as JSON."""
    return UNTIDY.dump_json(untidy, context=mask).decode()


def run_of(run_id: str, fields: dict[str, str]) -> Run:
    """The run that a hash of the ledger describes."""
    state = State(fields["state"])
    order = Order.model_validate_json(fields["order"])
    if order.pull_request is None and "pull_request" in fields:
        merged = PullRequest.model_validate_json(fields["pull_request"])
        order = order.model_copy(update={"pull_request": merged})
    if order.sender is None and "sender" in fields:
        order = order.model_copy(update={"sender": fields["sender"]})
    if "people" in fields:
        more = PEOPLE.validate_json(fields["people"])
        people = tuple(dict.fromkeys((*order.people, *more)))
        order = order.model_copy(update={"people": people})
    numbers: dict[str, Any] = {
        name: int(fields[name])
        for name in ("created_at", "started_at", "finished_at", "fence", "losses", "retries")
        if fields.get(name)
    }
    texts = {name: fields[name] for name in ("error", "fault", "delivery") if fields.get(name)}
    stages = STAGES.validate_json(fields["stages"])
    return Run(
        id=run_id,
        order=order,
        state=state,
        stages=_settled(stages, texts.get("error")) if state.final else stages,
        releases=RELEASES.validate_json(fields.get("releases", "[]")),
        checks=CHECKS.validate_json(fields.get("checks", "[]")),
        rollout=_rollout(fields.get("rollout"), state),
        unfinished=fields.get("unfinished") == "yes",
        recorded=fields.get("recorded") == "yes",
        untold=_untold(fields.get("told", "")),
        untidy=UNTIDY.validate_json(fields.get("untidy", "[]")),
        held=state is State.WAITING and fields.get("held") == "1",
        **numbers,
        **texts,
    )


def _untold(told: str) -> tuple[Untold, ...]:
    """Who could not be told, out of what the reporters keep."""
    if '|why"' not in told:
        return ()
    kept = {name.partition("|why"): text for name, text in json.loads(told).items()}
    return tuple(Untold(channel=name[0], why=text) for name, text in kept.items() if name[1])


def _rollout(text: str | None, state: State) -> Rollout | None:
    """As it was written down; one whose run ended without a word may have left shares behind."""
    rollout = Rollout.model_validate_json(text) if text else None
    if rollout and rollout.state == "moving" and state.final:
        return rollout.model_copy(update={"state": "left"})
    return rollout


def _settled(stages: tuple[StageRecord, ...], error: str | None) -> tuple[StageRecord, ...]:
    """No stage of an ended run is open: its last worker may have died before it could say so."""
    ends: dict[StageState, dict[str, Any]] = {
        StageState.RUNNING: {"state": StageState.FAILED, "error": error},
        StageState.WAITING: {"state": StageState.FAILED, "error": error},
        StageState.PENDING: {"state": StageState.SKIPPED},
    }
    return tuple(stage.model_copy(update=ends.get(stage.state, {})) for stage in stages)
