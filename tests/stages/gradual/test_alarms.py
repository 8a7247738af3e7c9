"""CloudWatch's alarms stop a gradual release, judged on the new version's own data."""

import threading

import pytest

from tests.stages.gradual.conftest import ALARM, A, B, dimensions
from workers.ledger.model.run import State

pytestmark = pytest.mark.lane(
    strategy="canary-10-percent-2-seconds", more=f'alarms = ["{ALARM}", "queue-age"]'
)


@pytest.fixture
def watched(lane):
    """An alarm on a function's errors, and one on something else; both are OK."""
    lane.alarm()
    lane.alarm("queue-age", Namespace="AWS/SQS", MetricName="Age", Dimensions=None)
    for name in (ALARM, "queue-age"):
        lane.state("OK", name)
    return lane


def assert_back(lane, run):
    """Both functions run what they ran before, with empty weights."""
    assert lane.alias(A) == lane.alias(B) == ("1", {}), lane.inside.log(run.id)
    assert (run.rollout.state, run.rollout.percent, run.unfinished) == ("undone", 0, False)


def test_errors_of_the_new_version_put_it_back(watched):
    """The run fails with the alarm's name, as the code's fault, and all functions go back."""
    run_id = watched.begin(A, B, text="two")
    watched.at(run_id, 10)
    watched.errors("2")
    run = watched.ended(run_id)
    assert (run.state, run.fault) == (State.FAILED, "user")
    assert run.error == (
        f"the CloudWatch alarm {ALARM} struck at 10 % (StoreList version 2: 3 is at or over 1 in "
        "1 min); production runs what it ran before"
    )
    assert_back(watched, run)
    assert "production: put back, all of it runs version 1" in watched.inside.log(run_id)


def test_errors_of_the_old_version_stop_nothing(watched):
    """The alarm on the whole alias is in ALARM because of version 1, and version 2 is the cure."""
    watched.state("ALARM")
    watched.errors("1", 50)
    run_id = watched.begin(A, B, text="two")
    run = watched.ended(run_id)
    assert run.state is State.SUCCEEDED, watched.inside.log(run_id)
    assert f"alarm {ALARM}: INSUFFICIENT_DATA (no data of StoreList version 2)" in (
        watched.inside.log(run_id)
    )


def test_a_look_from_before_the_time_takes_no_step(watched):
    """The step's time ends while a visit reads the alarms: what it read is too old to go on."""
    run_id = watched.begin(A, B, text="two")
    watched.at(run_id, 10)
    hold = watched.strict.hold("DescribeAlarms", "")
    thread = threading.Thread(target=watched.visit, args=[run_id])
    thread.start()
    assert hold.reached.wait(20)
    watched.due(run_id)
    hold.open()
    thread.join(20)
    assert watched.alias(A) == ("1", {"2": 0.1})
    watched.errors("2")
    run = watched.ended(run_id)
    assert run.state is State.FAILED, watched.inside.log(run_id)
    assert_back(watched, run)


def test_an_alarm_on_anything_else_counts_as_it_is(watched):
    """An alarm that is not about the functions strikes by its own state."""
    run_id = watched.begin(A, B, text="two")
    watched.at(run_id, 10)
    watched.state("ALARM", "queue-age")
    run = watched.ended(run_id)
    assert (run.state, run.fault) == (State.FAILED, "user")
    assert "the CloudWatch alarm queue-age struck at 10 % (a test says so)" in run.error
    assert_back(watched, run)


def test_what_is_being_put_back_never_goes_forward_again(watched):
    """The worker dies in the middle of putting back, the alarm falls silent: it goes on back."""
    run_id = watched.begin(A, B, text="two")
    watched.at(run_id, 10)
    watched.state("ALARM", "queue-age")
    watched.kill(run_id, watched.strict.hold("UpdateAlias", A))
    assert watched.alias(A) == ("1", {"2": 0.1})
    watched.state("OK", "queue-age")
    run = watched.ended(run_id)
    assert (run.state, run.fault, run.losses) == (State.FAILED, "user", 1)
    assert "the CloudWatch alarm queue-age struck at 10 %" in run.error
    assert_back(watched, run)


def test_an_alarm_that_is_not_there_stops_it_before_anything_moves(watched):
    """A name that CloudWatch does not know ends the run as the operator's turn."""
    watched.cloud.client("cloudwatch").delete_alarms(AlarmNames=["queue-age"])
    run = watched.ended(watched.begin(A, B, text="two"))
    assert (run.state, run.fault, run.rollout) == (State.FAILED, "ours", None)
    assert "there is no CloudWatch alarm queue-age in eu-west-3" in run.error
    assert watched.writes() == []


def test_an_alarm_that_strikes_already_stops_it_before_anything_moves(watched):
    """Nothing is released into trouble that was there before."""
    watched.state("ALARM", "queue-age")
    run = watched.ended(watched.begin(A, B, text="two"))
    assert (run.state, run.fault, run.rollout) == (State.FAILED, "ours", None)
    assert "alarm queue-age is in ALARM already" in run.error
    assert watched.writes() == []


def test_an_alarm_without_data_is_tolerated_and_said(watched):
    """INSUFFICIENT_DATA stops nothing."""
    watched.state("INSUFFICIENT_DATA", "queue-age")
    run = watched.ended(watched.begin(A, B, text="two"))
    assert run.state is State.SUCCEEDED
    assert "alarm queue-age: INSUFFICIENT_DATA" in watched.inside.log(run.id)


def test_an_alarm_that_is_removed_on_the_way_puts_it_back(watched):
    """A guard that is gone guards nothing: the release does not go on without it."""
    run_id = watched.begin(A, B, text="two")
    watched.at(run_id, 10)
    watched.cloud.client("cloudwatch").delete_alarms(AlarmNames=[ALARM])
    run = watched.ended(run_id)
    assert (run.state, run.fault) == (State.FAILED, "ours")
    assert f"there is no CloudWatch alarm {ALARM}" in run.error
    assert_back(watched, run)


def test_cloudwatch_out_of_reach_holds_the_step(watched):
    """Without a look at the alarms no step is taken; with one, the release goes on."""
    run_id = watched.begin(A, B, text="two")
    watched.at(run_id, 10)
    watched.strict.fail_next("DescribeAlarms", times=10, status=503, code="InternalServiceFault")
    watched.until(run_id, lambda run: run.retries > 0)
    assert watched.alias(A) == ("1", {"2": 0.1})
    assert watched.strict.struck["DescribeAlarms"] >= 5
    watched.strict._faults.clear()
    assert watched.ended(run_id).state is State.SUCCEEDED


def test_metric_math_is_judged_by_the_version_too(watched):
    """Each metric in an alarm's formula is asked for the new version; the formula stays.

    moto can't calculate: the formula here is one of its metrics.
    """

    def part(name, metric):
        named = {"Namespace": "AWS/Lambda", "MetricName": metric}
        metric = {**named, "Dimensions": dimensions(FunctionName=A)}
        stat = {"Metric": metric, "Period": 60, "Stat": "Sum"}
        return {"Id": name, "MetricStat": stat, "ReturnData": False}

    formula = {"Id": "rate", "Expression": "errors", "ReturnData": True}
    single = ("Namespace", "MetricName", "Dimensions", "Period", "Statistic")
    metrics = [part("errors", "Errors"), part("calls", "Invocations"), formula]
    watched.alarm(Metrics=metrics, **dict.fromkeys(single))
    run_id = watched.begin(A, B, text="two")
    watched.at(run_id, 10)
    watched.errors("2")
    run = watched.ended(run_id)
    assert f"alarm {ALARM} struck at 10 % (StoreList version 2: 3 is at or over 1" in run.error
    asked = [one.json for one in watched.strict.requests if one.operation == "GetMetricData"]
    wanted = dimensions(FunctionName=A, Resource=f"{A}:production", ExecutedVersion="2")
    for query in asked[-1]["MetricDataQueries"][:2]:
        assert query["MetricStat"]["Metric"]["Dimensions"] == wanted
    assert asked[-1]["MetricDataQueries"][2] == formula
    assert_back(watched, run)
