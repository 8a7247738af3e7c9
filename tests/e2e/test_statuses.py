"""What GitHub is told of a commit that is checked and deployed: no run writes another's context."""

import pytest

from tests.e2e.conftest import PIPELINE, REPOSITORY, small

pytestmark = pytest.mark.e2e
DEPLOY = "slipway/deploy/sandbox"
ARGS = PIPELINE.replace('path = "/app"', 'path = "/app"\nargs = { ENVIRONMENT = "{environment}" }')


def demands(environment):
    """A repository that builds for one environment alone."""
    test = f'RUN test "$ENVIRONMENT" = {environment}\n'
    image = f"FROM python:3.11-slim\nARG ENVIRONMENT\nWORKDIR /app\nCOPY index.py ./\n{test}"
    return small(slipway__toml=ARGS, Dockerfile=image)


def opened(world, files, base="master"):
    """The head of a pull request from develop, of which only its check has been asked for."""
    world.github.commit(REPOSITORY, base, small(), "Base")
    head = world.github.commit(REPOSITORY, "develop", files, "Change")
    world.github.open_pull_request(REPOSITORY, "develop", base)
    return head


def test_a_deploy_does_not_turn_a_pull_requests_failed_check_green(world):
    """The check fails as for its base's environment; the same commit's deploy goes well."""
    commit = opened(world, demands("sandbox"))
    assert world.ended(commit, purpose="check")["state"] == "failed"
    checked = {"slipway/test": "success", "slipway/build": "failure"}
    assert world.statuses(commit) == checked
    world.github.push_event(REPOSITORY, "develop")
    assert world.ended(commit, purpose="deploy")["state"] == "succeeded"
    assert world.statuses(commit) == {**checked, DEPLOY: "success"}


def test_a_pull_request_does_not_turn_a_live_commit_red(world):
    """Opening one on a commit that is live leaves the status of its deploy alone."""
    commit = world.push(demands("sandbox"))
    assert world.ended(commit)["state"] == "succeeded"
    world.github.commit(REPOSITORY, "master", small(), "Base")
    world.github.open_pull_request(REPOSITORY, "develop", "master")
    assert world.ended(commit, purpose="check")["state"] == "failed"
    assert world.statuses(commit)[DEPLOY] == "success"


def test_a_head_that_was_checked_and_then_fast_forwarded_is_deployed(world):
    """Checked for its base's environment, it builds there, and the same commit goes live there."""
    world.github.commit(REPOSITORY, "develop", small(), "Base")
    head = world.github.commit(REPOSITORY, "feature", demands("sandbox"), "Change")
    world.github.open_pull_request(REPOSITORY, "feature", "develop")
    run = world.ended(head, purpose="check")
    assert run["state"] == "succeeded", world.story(run)
    assert run["base"] == {"branch": "develop", "environment": "sandbox"}
    world.github.set_branch(REPOSITORY, "develop", head)
    world.github.push_event(REPOSITORY, "develop")
    assert world.ended(head, purpose="deploy")["state"] == "succeeded"
    assert world.alias() == "1"
    assert world.statuses(head) == {
        "slipway/test": "success",
        "slipway/build": "success",
        DEPLOY: "success",
    }
