"""Which data of an alarm is looked at, and when it strikes."""

from datetime import UTC, datetime, timedelta

import pytest

from workers.aws import alarms
from workers.aws.alarms import Bake, Point, Subject
from workers.ledger.model.errors import OurError, PassingError

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
START = NOON.timestamp()
BAKE = Bake(since=NOON + timedelta(seconds=5), until=NOON + timedelta(minutes=5), lasts=600)
STORE = Subject("Store", "production", "7")


def alarm(**changes):
    """An alarm on the errors of the function Store, as DescribeAlarms shows it."""
    known = {
        "AlarmName": "errors",
        "StateValue": "OK",
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": "Store"}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "Statistic": "Sum",
    }
    return {key: value for key, value in (known | changes).items() if value is not None}


def named(**values):
    """Dimensions as CloudWatch writes them."""
    return [{"Name": name, "Value": value} for name, value in values.items()]


def points(*values, period=60):
    """Data points from noon on, one a period; None leaves a gap."""
    found = enumerate(values)
    return [Point(START + at * period, value) for at, value in found if value is not None]


@pytest.mark.parametrize(
    "dimensions",
    [
        named(FunctionName="Store"),
        named(FunctionName="Store", Resource="Store"),
        named(FunctionName="Store", Resource="Store:production"),
        named(Resource="Store:production", FunctionName="Store", ExecutedVersion="3"),
    ],
)
def test_an_alarm_on_the_function_or_its_alias_is_asked_of_the_new_version(dimensions):
    """Whatever it looks at, the new version behind the alias is what is looked at instead."""
    (query,) = alarms.queries(alarm(Dimensions=dimensions), STORE)
    wanted = named(FunctionName="Store", Resource="Store:production", ExecutedVersion="7")
    assert query["MetricStat"] == {
        "Metric": {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": wanted},
        "Period": 60,
        "Stat": "Sum",
    }


def test_a_percentile_and_a_unit_stay_as_they_are():
    """The statistic and the unit of the alarm are asked for."""
    wanted = alarm(Statistic=None, ExtendedStatistic="p99", Unit="Milliseconds")
    (query,) = alarms.queries(wanted, STORE)
    assert (query["MetricStat"]["Stat"], query["MetricStat"]["Unit"]) == ("p99", "Milliseconds")


@pytest.mark.parametrize(
    "changes",
    [
        {"Namespace": "AWS/SQS"},
        {"Dimensions": None},
        {"Dimensions": named(FunctionName="Other")},
        {"Dimensions": named(FunctionName="Store", Resource="Store:sandbox")},
        {"Dimensions": named(FunctionName="Store", EventSourceMappingUUID="x")},
        {"ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold", "Threshold": None},
        {"Metrics": [{"Id": "e", "Expression": "SELECT 1", "Period": 60}], "MetricName": None},
        {"AlarmRule": "ALARM(x)", "ComparisonOperator": None, "MetricName": None},
    ],
)
def test_any_other_alarm_counts_by_its_own_state(changes):
    """Other services, functions and aliases, bands and composite alarms are not asked anew."""
    assert alarms.queries(alarm(**changes), STORE) == []


@pytest.mark.parametrize(
    ("changes", "values", "strikes"),
    [
        ({}, (2, 2), False),
        ({}, (0, 3), True),
        ({"ComparisonOperator": "GreaterThanOrEqualToThreshold"}, (2,), True),
        ({"EvaluationPeriods": 3}, (3, 3), False),
        ({"EvaluationPeriods": 3}, (3, 3, 3), True),
        ({"EvaluationPeriods": 3}, (3, None, 3, 3), False),
        ({"EvaluationPeriods": 3, "DatapointsToAlarm": 2}, (3, None, 3), True),
        ({"EvaluationPeriods": 3, "DatapointsToAlarm": 2}, (3, None, None, 3), False),
        # Ten minutes of bake have two periods of five: more can't be asked for.
        ({"EvaluationPeriods": 5, "Period": 300}, (3, 3), True),
        ({"EvaluationPeriods": 5, "Period": 300}, (3,), False),
        ({"EvaluationPeriods": 2, "Period": 3600}, (3,), True),
        ({"TreatMissingData": "breaching"}, (), False),
    ],
)
def test_an_alarm_strikes_as_cloudwatch_would(changes, values, strikes):
    """So many of so many periods in a row, as far as the bake has them; gaps are good."""
    one = alarm(**changes)
    period = one["Period"]
    struck = alarms.struck(one, points(*values, period=period), period, BAKE)
    assert bool(struck) == strikes, struck


@pytest.mark.parametrize(
    ("values", "strikes"),
    [((9, 1, 9), True), ((1, 9, 9), False), ((9, 9, 9, 9, 9, 1), False)],
)
def test_only_whole_periods_can_be_too_low(values, strikes):
    """The first and the last period hold a part of their time: a small sum proves nothing."""
    low = alarm(ComparisonOperator="LessThanThreshold")
    assert bool(alarms.struck(low, points(*values), 60, BAKE)) == strikes


def test_what_strikes_is_said_in_numbers():
    """The value, the threshold, the period, and how often."""
    one = alarm(EvaluationPeriods=2)
    said = alarms.struck(one, points(3, 4), 60, BAKE)
    assert said == "3 is over 2 in 1 min, 2 times in 2 periods"


def test_alarms_come_in_the_order_of_their_names(aws, cloud):
    """Each with its own state and its reason, where none of the versions is what it is about."""
    client = cloud.client("cloudwatch")
    for name in ("a", "b"):
        made = alarm(AlarmName=name)
        client.put_metric_alarm(**{k: v for k, v in made.items() if k != "StateValue"})
    client.set_alarm_state(AlarmName="b", StateValue="ALARM", StateReason="because")
    first, second = alarms.judge(aws, ["b", "a"], [], BAKE)
    assert (first.name, first.state, first.why, first.own) == ("b", "ALARM", "because", True)
    assert (second.name, second.own) == ("a", True)


def test_missing_alarms_are_named(aws, cloud):
    """All that are missing, and whose turn it is."""
    with pytest.raises(OurError, match=r"no CloudWatch alarm a or b in eu-west-3, the operator's"):
        alarms.judge(aws, ["a", "b"], [], BAKE)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 400, "code": "AccessDeniedException"}, OurError),
        ({"status": 400, "code": "ThrottlingException"}, PassingError),
        ({"status": 500, "code": "InternalServiceFault"}, PassingError),
    ],
)
def test_cloudwatchs_faults_are_translated(aws, strict, fault, kind):
    """What may not be read is the operator's turn; what is out of reach passes."""
    strict.fail_next("DescribeAlarms", times=9, **fault)
    with pytest.raises(kind, match="reading the CloudWatch alarms"):
        alarms.judge(aws, ["a"], [], BAKE)
    assert strict.struck["DescribeAlarms"] >= 1
