"""One alias that can't move does not make the others flap with every try."""

import json

import pytest

from tests.aws.wire import refusal
from tests.stages.rollback.conftest import ENVIRONMENT, SITE, A, B
from workers.ledger.model.run import State


def moved_to(harbour):
    """The versions that A's alias was asked to move to, as AWS saw it."""
    asked = [one for one in harbour.strict.requests if one.operation == "UpdateAlias"]
    return [json.loads(one.body)["FunctionVersion"] for one in asked if one.function == A]


def refuses(harbour, *operations, function=None):
    """Have AWS be out of reach for these calls, until what is returned is called."""
    work = harbour.strict._work

    def refusing(request):
        ours = request.operation in operations and function in (None, request.function)
        return refusal(request, 503, "SlowDown", "injected", {}) if ours else work(request)

    harbour.strict._work = refusing
    return lambda: setattr(harbour.strict, "_work", work)


def test_the_one_that_failed_goes_first_alone(harbour):
    """At the first try the other moves and goes back; from then on it stays where it is."""
    harbour.deployed()
    before = harbour.live()
    run_id = harbour.accept(A, B)
    again = refuses(harbour, "UpdateAlias", function=B)
    assert harbour.visit(run_id) == "paused"
    old, new = (one["Version"] for one in harbour.cloud.versions(A)[-2:])
    tries = moved_to(harbour)
    assert tries[-2:] == [new, old]
    for _ in range(3):
        assert harbour.visit(run_id) == "paused"
    assert harbour.live() == before
    # What may still be on its way is made to come too late: by moves to where it is.
    assert set(moved_to(harbour)[len(tries) :]) <= {old}
    again()
    assert harbour.ended(run_id).state is State.SUCCEEDED


def test_a_site_whose_bucket_takes_no_writes_moves_no_alias_again(harbour):
    """At the first try the aliases move and go back; from then on they wait for the bucket."""
    harbour.deployed(page="old")
    before = harbour.live()
    run_id = harbour.accept(A, B, page="new")
    again = refuses(harbour, "CopyObject", "PutObject")
    assert harbour.visit(run_id) == "paused"
    old, new = (one["Version"] for one in harbour.cloud.versions(A)[-2:])
    tries = moved_to(harbour)
    assert tries[-2:] == [new, old]
    for _ in range(2):
        assert harbour.visit(run_id) == "paused"
    assert set(moved_to(harbour)[len(tries) :]) <= {old}
    assert harbour.live() == before
    again()
    assert harbour.ended(run_id).state is State.SUCCEEDED
    assert harbour.cloud.read(SITE, "production/index.html").decode() == "new"


@pytest.mark.harbour(rule='rest_api = "gone123456"')
def test_an_api_that_can_not_be_prepared_moves_no_alias(harbour):
    """It is seen to before, where the aliases that it is to name are there."""
    lambda_ = harbour.cloud.client("lambda")
    for name in (A, B):
        version = lambda_.publish_version(FunctionName=name)["Version"]
        lambda_.create_alias(FunctionName=name, Name=ENVIRONMENT, FunctionVersion=version)
    run = harbour.ended(harbour.accept(A, B))
    assert run.state is State.FAILED
    assert "gone123456" in run.error
    assert moved_to(harbour) == []
