"""A gradual release from push to live, swept along by beat, and one that an alarm stops."""

import pytest

from tests.e2e.town import Place, Town, until

pytestmark = pytest.mark.e2e

STATUS = "slipway/deploy/gradual"


def alias(place: Place) -> tuple[str, dict[str, float]]:
    """The alias's version and weights."""
    found = place.town.aws.alias(place.function, "gradual")
    assert found
    weights = found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return found["FunctionVersion"], weights


def alarm(place: Place) -> None:
    """The alarm that the environment names: errors of the function's alias."""
    place.town.aws.client("cloudwatch").put_metric_alarm(
        AlarmName="TownAlarm",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": place.function}],
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )


def errors(place: Place, version: str) -> None:
    """Errors of one version behind the alias."""
    dimensions = {
        "FunctionName": place.function,
        "Resource": f"{place.function}:gradual",
        "ExecutedVersion": version,
    }
    datum = {
        "MetricName": "Errors",
        "Value": 1,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    place.town.aws.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=[datum])


def test_a_push_goes_live_in_steps_and_an_alarm_takes_one_back(town: Town):
    """Each step is on the alias and in the commit's status; the alarm's name is the verdict."""
    place = town.place("gradual")
    alarm(place)
    first = place.push(branch="gradual")
    run = place.ended(first)
    assert (run["state"], run["rollout"]) == ("succeeded", None), place.story(first)
    assert alias(place) == ("1", {})

    second = place.push(place.files("two"), branch="gradual")
    seen = []

    def over() -> bool:
        if alias(place) not in seen:
            seen.append(alias(place))
        return place.run(second)["state"] not in ("queued", "running", "waiting")

    until(over, 90, lambda: place.story(second))
    run = place.ended(second)
    assert run["state"] == "succeeded", place.story(second)
    assert seen == [("1", {}), ("1", {"2": 0.4}), ("1", {"2": 0.8}), ("2", {})]
    assert (run["rollout"]["state"], run["rollout"]["percent"]) == ("done", 100)
    told = [
        status.description
        for status in town.github.statuses(place.repository, second)
        if status.context == STATUS
    ]
    assert any(text.startswith("40 % since ") for text in told), told
    assert place.latest(second)[STATUS].description == "gradual runs TownGradual 2"

    third = place.push(place.files("three"), branch="gradual")
    until(lambda: alias(place)[1], 60, lambda: place.story(third))
    errors(place, "3")
    run = place.ended(third)
    assert run["state"] == "failed", place.story(third)
    status = place.latest(third)[STATUS]
    assert status.state == "failure"
    assert status.description.startswith("the CloudWatch alarm TownAlarm struck at ")
    assert run["rollout"]["state"] == "undone"
    assert alias(place) == ("2", {})
