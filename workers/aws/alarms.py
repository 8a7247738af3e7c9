"""CloudWatch alarms that guard a gradual release, judged on the new versions' own data.

Lambda keeps a metric of an alias once more for each version that the alias sent requests to, under
the dimension ExecutedVersion. Source: "Using Lambda metrics in CloudWatch" and "Lambda function
aliases: alias routing" in AWS Lambda's developer guide.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from config.units import duration, utc
from workers.aws.faults import translated
from workers.ledger.model.errors import OurError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.aws.session import Aws

AT_ONCE = 100
"""Names that DescribeAlarms takes in a call (its API reference)."""

NAMESPACE = "AWS/Lambda"
FUNCTION, RESOURCE, EXECUTED = "FunctionName", "Resource", "ExecutedVersion"
# A band of expected values (anomaly detection) is no threshold that another metric can be held to.
OVER = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
}
UNDER = {
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
WORDS = {
    "GreaterThanThreshold": "over",
    "GreaterThanOrEqualToThreshold": "at or over",
    "LessThanThreshold": "under",
    "LessThanOrEqualToThreshold": "at or under",
}
ONE = "alarm"

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
    asked = [(one, wanted) for one in subjects if (wanted := queries(alarm, one))]
    if not asked:
        state: State = alarm["StateValue"]
        return Verdict(name, state, alarm.get("StateReason", ""), own=True)
    silent = []
    for subject, wanted in asked:
        found = points(aws, name, wanted, bake)
        version = f"{subject.function} version {subject.version}"
        if why := struck(alarm, found, period(wanted), bake):
            return Verdict(name, "ALARM", f"{version}: {why}", own=False)
        if not found:
            silent.append(version)
    if silent:
        return Verdict(name, "INSUFFICIENT_DATA", f"no data of {', '.join(silent)}", own=False)
    return Verdict(name, "OK", "", own=False)


class Point(NamedTuple):
    """One period's value; `at` is its begin, in seconds since 1970."""

    at: float
    value: float


def queries(alarm: dict[str, Any], subject: Subject) -> list[dict[str, Any]]:
    """What to ask GetMetricData for the alarm's value of one version; empty: not about it."""
    if alarm.get("ComparisonOperator") not in WORDS or "Threshold" not in alarm:
        return []
    asked = [dict(query) for query in alarm.get("Metrics") or [_single(alarm)]]
    about = False
    for query in asked:
        stat: dict[str, Any] = query.get("MetricStat") or {}
        metric = _of_version(stat.get("Metric", {}), subject)
        if metric:
            query["MetricStat"] = {**stat, "Metric": metric}
            about = True
    return asked if about else []


def _single(alarm: dict[str, Any]) -> dict[str, Any]:
    names = ("Namespace", "MetricName", "Dimensions")
    stat: dict[str, Any] = {
        "Metric": {name: alarm[name] for name in names if name in alarm},
        "Period": alarm.get("Period", 60),
        "Stat": alarm.get("Statistic") or alarm.get("ExtendedStatistic") or "Sum",
    }
    if alarm.get("Unit"):
        stat["Unit"] = alarm["Unit"]
    return {"Id": ONE, "MetricStat": stat, "ReturnData": True}


def _of_version(metric: dict[str, Any], subject: Subject) -> dict[str, Any] | None:
    """The metric of the new version alone, if it is one of the function or of the alias."""
    given = {one["Name"]: one["Value"] for one in metric.get("Dimensions") or ()}
    resource = f"{subject.function}:{subject.alias}"
    about = (
        metric.get("Namespace") == NAMESPACE
        and given.get(FUNCTION) == subject.function
        and given.get(RESOURCE, resource) in (resource, subject.function)
        and set(given) <= {FUNCTION, RESOURCE, EXECUTED}
    )
    if not about:
        return None
    wanted = {FUNCTION: subject.function, RESOURCE: resource, EXECUTED: subject.version}
    return {**metric, "Dimensions": [{"Name": k, "Value": v} for k, v in wanted.items()]}


def period(asked: list[dict[str, Any]]) -> int:
    """Seconds of one data point."""
    return max(int(query["MetricStat"]["Period"]) for query in asked if "MetricStat" in query)


def points(aws: Aws, name: str, asked: list[dict[str, Any]], bake: Bake) -> list[Point]:
    """The alarm's value in each period of the bake that has one."""
    length = period(asked)
    begin = math.floor(bake.since.timestamp() / length) * length
    found: list[Point] = []
    with translated(f"reading the metric of the CloudWatch alarm {name}", region=aws.region):
        pages = aws.cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked,
            StartTime=utc(begin * 1000),
            # With the period that has just begun.
            EndTime=bake.until + timedelta(seconds=length),
            ScanBy="TimestampAscending",
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                pairs = zip(result["Timestamps"], result["Values"], strict=True)
                found += [Point(at.timestamp(), float(value)) for at, value in pairs]
    return found


def struck(alarm: dict[str, Any], found: list[Point], length: int, bake: Bake) -> str:
    """Why the alarm strikes, as AWS would judge it; empty if it does not.

    Of `EvaluationPeriods` in a row, `DatapointsToAlarm` must breach; a bake that is shorter than
    that needs as many as it has. Periods without data count as good ones.
    """
    how = alarm["ComparisonOperator"]
    threshold = float(alarm["Threshold"])
    breaches = OVER.get(how) or UNDER[how]
    if how in UNDER:
        # Half a period has half a sum: only whole ones can be too low.
        whole = (bake.since.timestamp(), bake.until.timestamp() - length)
        found = [point for point in found if whole[0] <= point.at <= whole[1]]
    bad = [point for point in found if breaches(point.value, threshold)]
    row = int(alarm["EvaluationPeriods"])
    needed = min(int(alarm.get("DatapointsToAlarm") or row), max(1, int(bake.lasts // length)))
    for point in bad:
        within = [one for one in bad if point.at <= one.at < point.at + row * length]
        if len(within) >= needed:
            times = f", {needed} times in {row} periods" if needed > 1 else ""
            return f"{point.value:g} is {WORDS[how]} {threshold:g} in {duration(length)}{times}"
    return ""
