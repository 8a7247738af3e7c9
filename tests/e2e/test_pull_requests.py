"""Pull requests: checked when they change, deployed when they are merged, never from a fork."""

import pytest

from tests.e2e.town import BUCKET, DEPLOY

pytestmark = pytest.mark.e2e

CHECKED = {"slipway/test": "success", "slipway/build": "success"}


def opened(town, name):
    """A place whose develop is deployed, and a pull request with one commit on it."""
    place = town.place(name)
    place.assert_deployed(place.push())
    head = place.commit(place.files("two"), "feature")
    pull = town.github.open_pull_request(place.repository, "feature", "develop")
    return place, head, pull


def test_a_pull_request_is_checked_and_not_deployed(town):
    """Its head is tested and built; nothing goes to S3 or Lambda; a new head is checked again."""
    place, head, pull = opened(town, "pull-check")
    before = (place.packages(), place.versions(), place.moves(), place.alias())
    run = place.ended(head)
    assert run["state"] == "succeeded", place.story(head)
    assert run["purpose"] == "check"
    assert run["pull_request"] == pull.number
    assert [stage["name"] for stage in run["stages"]] == ["checkout", "test", "analyze", "build"]
    assert place.states(head) == CHECKED

    newer = place.commit(place.files("three"), "feature")
    town.github.synchronize(pull)
    assert place.ended(newer)["purpose"] == "check"
    assert place.states(newer) == CHECKED
    assert (place.packages(), place.versions(), place.moves(), place.alias()) == before
    assert not [key for key in town.aws.objects(BUCKET) if newer in key or head in key]


def test_a_fork_is_answered_with_the_reason(town):
    """A fork's pull request gets no run, whatever its code asks for."""
    place = town.place("pull-fork")
    place.assert_deployed(place.push())
    fork = town.github.fork(place.repository)
    head = town.github.commit(fork.full_name, "feature", place.files("stolen"), "From outside")
    town.github.open_pull_request(place.repository, "feature", "develop", fork=True)
    delivery = town.github.deliveries[-1]
    assert delivery.status_code == 200
    assert "fork" in delivery.json()["ignored"]
    assert town.slipway.runs(commit=head) == []
    assert town.github.latest(place.repository, head) == {}


@pytest.mark.parametrize("push_first", [True, False], ids=["push-first", "merge-first"])
def test_a_merge_is_one_deploy(town, push_first):
    """Push and merge are one run, whichever comes first; the pull request's head shows it too."""
    place, head, pull = opened(town, f"pull-merge-{'push' if push_first else 'pull'}")
    place.ended(head)
    merged = town.github.merge(pull, push_first=push_first).merge_commit_sha
    codes = [delivery.status_code for delivery in town.github.deliveries[-2:]]
    assert codes == [202, 200]
    place.assert_deployed(merged, versions=2)
    assert place.run(merged)["pull_request"] == pull.number
    assert place.states(head) == {**CHECKED, DEPLOY: "success"}
    on_head = place.latest(head)[DEPLOY]
    assert on_head.target_url == place.run(merged)["url"]
    assert place.told(head)[-1] == "success"
    assert place.told(head).count("success") == 1
