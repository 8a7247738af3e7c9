"""What is released in steps: its site, and the way back from it."""

import pytest

from tests.stages.rollback.conftest import SITE, A, B
from workers.ledger.model.run import State

pytestmark = pytest.mark.harbour(more='strategy = "canary-10-percent-1-second"')


def page(harbour):
    """The page that people see."""
    return harbour.cloud.read(SITE, "production/index.html").decode()


def begun(harbour, **more):
    """A release whose first step is in force; its run's id."""
    run_id = harbour.accept(A, B, **more)
    harbour.until(run_id, lambda run: bool(run.rollout and run.rollout.percent))
    return run_id


def test_a_site_is_switched_with_the_last_step(harbour):
    """While a tenth of the requests meets the new functions, everybody sees the old page."""
    first = harbour.deployed(page="old")
    run_id = begun(harbour, page="new")
    assert page(harbour) == "old"
    assert all(harbour.weights())
    run = harbour.ended(run_id)
    assert run.state is State.SUCCEEDED, harbour.story(run_id)
    assert page(harbour) == "new"
    assert harbour.live() == (run.order.commit,) * 2
    assert harbour.live() != (first.order.commit,) * 2


def test_a_site_that_can_not_be_switched_takes_the_functions_back(harbour):
    """The last step is of all or of none: S3 refuses, and both aliases are whole and old."""
    first = harbour.deployed(page="old")
    run_id = begun(harbour, page="new")
    refused = {"status": 403, "code": "AccessDenied"}
    harbour.strict.fail_next("CopyObject", times=9, **refused)
    harbour.strict.fail_next("PutObject", times=9, **refused)
    run = harbour.ended(run_id)
    assert harbour.strict.struck["CopyObject"] + harbour.strict.struck["PutObject"] > 0
    assert run.state is State.FAILED, harbour.story(run_id)
    assert "production runs what it ran before" in run.error
    assert (page(harbour), harbour.live()) == ("old", (first.order.commit,) * 2)
    assert harbour.weights() == ({}, {})


def test_a_gradual_release_is_rolled_back_at_once(harbour):
    """A rollback takes no steps, and leaves no weights."""
    first = harbour.deployed()
    second = harbour.deployed()
    assert second.rollout.state == "done"
    back = harbour.rolled_back("previous")
    assert back.rollout is None
    assert harbour.live() == (first.order.commit,) * 2
    assert harbour.weights() == ({}, {})
