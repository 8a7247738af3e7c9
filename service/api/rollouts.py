"""A gradual release as the API shows it."""

from typing import Any

from config.units import moment
from workers.ledger.model.rollout import Rollout


def rollout(shown: Rollout | None) -> dict[str, Any] | None:
    """How far a run's gradual release is, or None where it has none."""
    if shown is None:
        return None
    return {
        "strategy": shown.strategy,
        "alias": shown.alias,
        "state": shown.state,
        "step": shown.step,
        "steps": shown.steps,
        "percent": shown.percent,
        "since": moment(shown.since),
        "next_at": moment(shown.next_at),
        "functions": [
            {
                "function": shift.function,
                "before": shift.before,
                "version": shift.version,
                "gradual": shift.gradual,
            }
            for shift in shown.shifts
        ],
        "put_back_because": shown.ending.why if shown.ending else None,
        "left": list(shown.left),
    }
