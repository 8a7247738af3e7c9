"""GitHub, AWS and Docker out of reach: tried again for a while, then told with the reason."""

import time
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.town import DEPLOY, Place, Town, until

pytestmark = pytest.mark.e2e

TRIED = "(tried 3 times); retry the run when that is over"
RATE_LIMITED = {"Retry-After": "7"}


@dataclass
class Suffering:
    """One run in an outage, and the faults that were ordered for it."""

    place: Place
    commit: str
    faults: tuple[Any, ...] = ()


def _statuses(town: Town) -> Suffering:
    place = town.place("out-statuses")
    path = f"^/repos/{place.repository}/statuses/"
    faults = (
        town.github.fail_next("POST", path, status=502),
        town.github.fail_next("POST", path, status=403, headers=RATE_LIMITED),
        town.github.fail_next("POST", path, drop_connection=True),
    )
    return Suffering(place, place.push(), faults)


def _fetch(town: Town) -> Suffering:
    place = town.place("out-fetch")
    path = f"^/{place.repository}.git/"
    faults = (
        town.github.fail_next("*", path, times=1, status=503),
        town.github.fail_next("*", path, times=1, drop_connection=True),
    )
    return Suffering(place, place.push(), faults)


def _aws(town: Town, name: str) -> Suffering:
    place = town.place(name)
    town.gate.shut.add(place.function)
    return Suffering(place, place.push())


@pytest.fixture(scope="module")
def outages(town: Town) -> dict[str, Suffering]:
    """All outages at once, each for one repository or function."""
    found = {
        "aws-for-good": _aws(town, "out-aws-for-good"),
        "aws": _aws(town, "out-aws"),
        "statuses": _statuses(town),
        "fetch": _fetch(town),
    }
    for_now = found["aws"].place
    until(lambda: "trying again in" in for_now.log(found["aws"].commit), 60, "no second try")
    town.gate.shut.discard(for_now.function)
    return found


def test_statuses_fail_and_the_deploy_goes_on(town, outages):
    """502s, a rate limit and dropped connections delay the statuses and never the deploy."""
    one = outages["statuses"]
    one.place.assert_deployed(one.commit)
    assert [fault.struck for fault in one.faults] == [1, 1, 1]
    asked = [r for r in town.github.requests if f"{one.place.repository}/statuses" in r.path]
    limited = next(r for r in asked if r.status == 403)
    after = [r.at for r in asked if r.at > limited.at]
    assert min(after) - limited.at > 6.9, "it asked again within the time of Retry-After"


def test_a_failing_fetch_is_tried_again(outages):
    """A fetch that fails twice is tried again with growing pauses, and then the run goes on."""
    one = outages["fetch"]
    one.place.assert_deployed(one.commit)
    assert [fault.struck for fault in one.faults] == [1, 1]
    assert one.place.log(one.commit).count("trying again in") == 2


def test_aws_comes_back(outages):
    """AWS that was out of reach for a while only delays a deploy."""
    one = outages["aws"]
    one.place.assert_deployed(one.commit)
    assert "trying again in" in one.place.log(one.commit)


def test_aws_stays_away(outages):
    """AWS that does not come back ends the run as our fault, with the reason."""
    one = outages["aws-for-good"]
    run = one.place.ended(one.commit, seconds=120)
    assert run["state"] == "failed"
    assert one.place.facts(one.commit)["fault"] == "ours"
    assert run["error"].endswith(TRIED), run["error"]
    assert "again" not in run["error"], "nobody tries it again"
    assert one.place.states(one.commit) == {DEPLOY: "error"}
    assert "S3" in run["error"] or "AWS" in run["error"], run["error"]
    assert one.place.moves() == []


def test_docker_stays_away(town):
    """Without an engine the status is an error which names Docker."""
    place = town.place("out-docker")
    with town.changed("worker", DOCKER_HOST="unix:///nowhere/docker.sock", SLIPWAY_RETRIES="1"):
        began = time.monotonic()
        commit = place.push()
        run = place.ended(commit)
        assert time.monotonic() - began > 1.8, "it did not wait before it tried again"
    assert run["state"] == "failed"
    assert place.facts(commit)["fault"] == "ours"
    assert run["error"].endswith(
        "start it, or set DOCKER_HOST (tried 2 times); retry the run when that is over"
    )
    latest = place.latest(commit)
    assert {status.state for status in latest.values()} == {"error"}
    assert "Docker is not reachable" in latest[DEPLOY].description
    assert place.packages() == []
