"""CloudWatch alarms that guard a gradual release, judged on the new versions' own data.

Lambda keeps a metric of an alias once more for each version that the alias sent requests to, under
the dimension ExecutedVersion. Source: "Using Lambda metrics in CloudWatch" and "Lambda function
aliases: alias routing" in AWS Lambda's developer guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workers.aws import alarm_data
from workers.aws.faults import translated
from workers.ledger.model.errors import OurError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from workers.aws.session import Aws

AT_ONCE = 100
"""Names that DescribeAlarms takes in a call (its API reference)."""

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


@dataclass(frozen=True)
class Subject:
    """A new version that gets a share of an alias's requests."""

    function: str
    alias: str
    version: str


@dataclass(frozen=True)
class Bake:
    """How long the new versions have been looked at, and will be: `lasts` is in seconds."""

    since: datetime
    until: datetime
    lasts: float


@dataclass(frozen=True)
class Verdict:
    """What one alarm says; `own` if that is its own state, not the new versions' data."""

    name: str
    state: State
    why: str
    own: bool


def judge(aws: Aws, names: Sequence[str], subjects: Sequence[Subject], bake: Bake) -> list[Verdict]:
    """What each alarm says about the new versions, in the order of the names.

    Raises:
        OurError: there is no alarm of one of the names, or it may not be read.
        PassingError: CloudWatch is out of reach.
    """
    found = _described(aws, names)
    missing = [name for name in names if name not in found]
    if missing:
        where = aws.region or "this region"
        raise OurError(
            f"there is no CloudWatch alarm {' or '.join(missing)} in {where}, the operator's turn: "
            "create it (terraform) or correct `alarms` of the environment"
        )
    return [_judged(aws, name, found[name], subjects, bake) for name in names]


def _described(aws: Aws, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    with translated("reading the CloudWatch alarms", region=aws.region):
        answer = aws.cloudwatch.describe_alarms(
            AlarmNames=list(names),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=AT_ONCE,
        )
    alarms = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
    return {alarm["AlarmName"]: alarm for alarm in alarms}


def _judged(
    aws: Aws, name: str, alarm: dict[str, Any], subjects: Sequence[Subject], bake: Bake
) -> Verdict:
    asked = [(one, alarm_data.queries(alarm, one)) for one in subjects]
    asked = [(one, queries) for one, queries in asked if queries]
    if not asked:
        state: State = alarm["StateValue"]
        return Verdict(name, state, alarm.get("StateReason", ""), own=True)
    silent = []
    for subject, queries in asked:
        points = alarm_data.points(aws, name, queries, bake)
        version = f"{subject.function} version {subject.version}"
        struck = alarm_data.struck(alarm, points, alarm_data.period(queries), bake)
        if struck:
            return Verdict(name, "ALARM", f"{version}: {struck}", own=False)
        if not points:
            silent.append(version)
    if silent:
        return Verdict(name, "INSUFFICIENT_DATA", f"no data of {', '.join(silent)}", own=False)
    return Verdict(name, "OK", "", own=False)
