"""An alarm's metric, asked for one version of a function, and held against its threshold."""

from __future__ import annotations

import math
import operator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from config.units import duration, utc
from workers.aws.faults import translated

if TYPE_CHECKING:
    from workers.aws.alarms import Bake, Subject
    from workers.aws.session import Aws

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
