"""One alias that can't move does not make the others flap with every try."""

import json

from tests.aws.wire import refusal
from tests.stages.rollback.conftest import A, B
from workers.run import State


def moved_to(harbour):
    """The versions that A's alias was asked to move to, as AWS saw it."""
    asked = [one for one in harbour.strict.requests if one.operation == "UpdateAlias"]
    return [json.loads(one.body)["FunctionVersion"] for one in asked if one.function == A]


def test_the_one_that_failed_goes_first_alone(harbour):
    """At the first try the other moves and goes back; from then on it stays where it is."""
    harbour.deployed()
    before = harbour.live()
    run_id = harbour.accept(A, B)
    work = harbour.strict._work
    struck = []

    def stuck(request):
        if request.operation != "UpdateAlias" or request.function != B:
            return work(request)
        struck.append(request)
        return refusal(request, 503, "ServiceUnavailable", "injected", {})

    harbour.strict._work = stuck
    assert harbour.visit(run_id) == "paused"
    old, new = (one["Version"] for one in harbour.cloud.versions(A)[-2:])
    tries = moved_to(harbour)
    assert tries[-2:] == [new, old]
    for _ in range(3):
        assert harbour.visit(run_id) == "paused"
    assert harbour.live() == before
    assert len(struck) > 3
    # What may still be on its way is made to come too late: by moves to where it is.
    assert set(moved_to(harbour)[len(tries) :]) <= {old}
    harbour.strict._work = work
    assert harbour.ended(run_id).state is State.SUCCEEDED
