"""What is live and what would be next, asked of a whole Slipway."""

import pytest
import redis

from tests.e2e.town import until
from workers.ledger import keys

pytestmark = pytest.mark.e2e


def test_a_worker_looks_for_whoever_asks(town):
    """After a deploy the plan says so; a change by hand is seen at the next question."""
    place = town.place("plan")
    commit = place.push()
    place.assert_deployed(commit)

    def plan():
        answer = town.slipway.get("/api/v1/environments/sandbox", refresh="1")
        if answer.status_code != 200 or answer.json()["refreshing"]:
            return None
        found = answer.json()["functions"]
        return next((one for one in found if one["function"] == place.function), None)

    until(lambda: (one := plan()) and one["observed"], 60, "a fresh look")
    one = plan() or {}
    assert one["record"]["commit"] == one["live"]["commit"] == commit
    assert one["live"]["sha256"] == one["record"]["sha256"]
    assert (one["next"]["text"], one["differs"]) == ("nothing new", [])

    town.aws.client("lambda").delete_alias(FunctionName=place.function, Name="sandbox")
    until(lambda: (one := plan()) and one["differs"], 60, "the drift")
    assert plan()["differs"][0]["kind"] == "alias deleted"


def test_workers_draw_on_one_budget(town):
    """What deploys ask of Lambda is counted in Redis, under the account's number and region."""
    place = town.place("budget")
    place.assert_deployed(place.push())
    with redis.Redis.from_url(town.redis.url, decode_responses=True) as client:
        assert client.llen(f"{keys.BUDGET}123456789012/eu-west-3/control") > 1
        assert client.llen(f"{keys.BUDGET}123456789012/eu-west-3/read") > 1
