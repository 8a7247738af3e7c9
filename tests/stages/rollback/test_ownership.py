"""An alias and a site belong to one repository, by id, until the operator moves them by name."""

import json

import pytest

from config import server
from tests.stages.rollback.conftest import SITE, A, B
from workers.ledger import keys
from workers.ledger.model.run import State
from workers.ledger.owners import Owners
from workers.workshop import Workshop

COPY = "octo/other"
PLACE = f"123456789012/eu-west-3/{A}/production"


def owners(harbour):
    """Whose what is."""
    return Owners(harbour.inside.redis)


def forced(harbour, name=PLACE):
    """Have the ledger forget whose a place is: the guard is off."""
    assert harbour.inside.redis.hdel(keys.OWNERS, name)


def taken(harbour, who="alice", **body):
    """What a take-over answers, and its status."""
    return harbour.inside.call("/releases/take-over", who, repository=COPY, **body)


def test_another_repository_does_not_get_the_alias(harbour):
    """A copy releases nothing and publishes nothing; where nobody is on record, it would."""
    first = harbour.deployed(A).order.commit
    calls = harbour.strict.calls["UpdateFunctionCode"]
    run = harbour.ended(harbour.accept(A, repository=COPY))
    assert (run.state, run.fault) == (State.FAILED, "user")
    assert f"{A}:production belongs to octo/store" in run.error
    assert f"slipway releases --take-over {COPY}" in run.error
    assert harbour.alias(A) == first
    assert harbour.strict.calls["UpdateFunctionCode"] == calls

    forced(harbour)
    stolen = harbour.ended(harbour.accept(A, repository=COPY))
    assert harbour.alias(A) == stolen.order.commit
    assert f"{A}:production belongs to {COPY} from now on" in harbour.inside.log(stolen.id)


def test_of_several_functions_none_moves_where_one_is_anothers(harbour):
    """All or none: what is free stays free."""
    harbour.deployed(A)
    run = harbour.ended(harbour.accept(A, B, repository=COPY))
    assert run.state is State.FAILED
    assert harbour.alias(B) is None
    assert set(harbour.inside.redis.hkeys(keys.OWNERS)) == {PLACE}


def test_another_repository_does_not_get_the_site(harbour):
    """The pages that are live stay; where nobody is on record, they would be replaced."""
    harbour.deployed(page="store")
    run = harbour.ended(harbour.accept(page="other", repository=COPY))
    assert (run.state, run.fault) == (State.FAILED, "user")
    assert f"s3://{SITE}/production/ belongs to octo/store" in run.error
    assert harbour.cloud.read(SITE, "production/index.html") == b"store"

    forced(harbour, f"site:{SITE}/production")
    harbour.until(harbour.accept(page="other", repository=COPY), lambda run: run.state.final)
    assert f"site:{SITE}/production" in harbour.inside.redis.hkeys(keys.OWNERS)
    assert owners(harbour).of([f"site:{SITE}/production"]).popitem()[1].repository == COPY


def test_the_operator_moves_it_by_name(harbour):
    """Alice moves it; the copy's next run releases it, and says by whom; the first one may not."""
    harbour.deployed(A)
    refused = harbour.ended(harbour.accept(A, repository=COPY))
    status, answer = taken(harbour)
    assert (status, answer["by"]) == (200, "alice")
    (one,) = answer["taken"]
    assert (one["name"], one["from"]) == (f"{A}:production", "octo/store")
    assert one["refused_run_id"] == refused.id
    owner = owners(harbour).of([PLACE])[PLACE]
    assert (owner.repository, owner.by, owner.from_) == (COPY, "alice", "octo/store")
    run = harbour.ended(harbour.accept(A, repository=COPY))
    assert run.state is State.SUCCEEDED, harbour.story(run.id)
    back = harbour.ended(harbour.accept(A))
    assert f"belongs to {COPY}" in back.error
    assert taken(harbour)[1]["taken"] == []


def test_a_rollback_of_the_repository_before_is_refused(harbour):
    """What was taken over is not brought back by a rollback to the other repository's release."""
    first, second = (harbour.deployed(A).order.commit for _ in range(2))
    harbour.ended(harbour.accept(A, repository=COPY))
    taken(harbour)
    run = harbour.ended(harbour.accept_back(first[:7]))
    assert run.state is State.FAILED
    assert f"belongs to {COPY}" in run.error
    assert harbour.alias(A) == second


def test_the_word_may_come_before_the_refusal(harbour):
    """With nothing refused so far, what would be refused within a day is taken over."""
    harbour.deployed(A)
    assert taken(harbour) == (200, {"repository": COPY, "by": "alice", "taken": []})
    run = harbour.ended(harbour.accept(A, repository=COPY))
    assert run.state is State.SUCCEEDED, harbour.story(run.id)
    assert "alice moved it" in harbour.inside.log(run.id)
    assert owners(harbour).of([PLACE])[PLACE].by == "alice"


@pytest.mark.harbour(more='operators = ["bob"]')
def test_only_who_may_operate_the_environment_moves_what_is_there(harbour):
    """Alice may not, by its name or without; bob may."""
    harbour.deployed(A)
    for more in ({}, {"environment": "production"}):
        assert taken(harbour, **more)[0] == 403
    harbour.ended(harbour.accept(A, repository=COPY))
    assert taken(harbour)[0] == 403
    assert owners(harbour).of([PLACE])[PLACE].repository == "octo/store"
    assert taken(harbour, "bob", environment="other")[1]["taken"] == []
    assert len(taken(harbour, "bob", environment="production")[1]["taken"]) == 1


def test_what_is_no_repository_of_the_operators_is_refused(harbour):
    """Unknown names and environments, and what is no name at all."""
    call = harbour.inside.call
    assert call("/releases/take-over", repository="elsewhere/other")[0] == 404
    assert call("/releases/take-over", repository=COPY, environment="nowhere")[0] == 404
    for bad in ("other", "", "a/b/c", 7):
        assert call("/releases/take-over", repository=bad)[0] == 400
    assert call("/releases/take-over")[0] == 400


def test_a_renamed_repository_keeps_its_places(harbour):
    """The id counts, and the record bears the new name."""
    harbour.deployed(A)
    run_id = harbour.accept(A)
    key = f"{keys.RUN}{run_id}"
    text = json.loads(harbour.inside.redis.hget(key, "order"))
    renamed = json.dumps(text | {"repository": "octo/shop"})
    harbour.inside.redis.hset(key, "order", renamed)
    run = harbour.ended(run_id)
    assert run.state is State.SUCCEEDED, harbour.story(run_id)
    assert f"{A}:production belongs to octo/shop, which was octo/store" in harbour.inside.log(
        run_id
    )
    assert owners(harbour).of([PLACE])[PLACE].repository == "octo/shop"


def test_two_environments_whose_account_only_aws_tells(harbour):
    """The operator's file names the region of one of them: AWS tells of the other."""
    first = harbour.deployed(A).order.commit
    file = harbour.inside.shop.settings.config
    twin = 'alias = "production"\naws = { region = "eu-west-3" }\n'
    text = file.read_text().replace('branch = "other"\n', f'branch = "other"\n{twin}')
    file.write_text(text)
    harbour.inside.shop = Workshop(harbour.inside.shop.settings, server.load(file))

    def other():
        run_id = harbour.accept(A)
        key = f"{keys.RUN}{run_id}"
        text = json.loads(harbour.inside.redis.hget(key, "order"))
        harbour.inside.redis.hset(key, "order", json.dumps(text | {"environment": "other"}))
        return harbour.ended(run_id)

    run = other()
    assert (run.state, run.fault) == (State.FAILED, "ours")
    assert f"{A}:production in 123456789012/eu-west-3 is the environment production's" in run.error
    assert harbour.alias(A) == first

    # The one that had it is no longer in the file, or has another alias: it has moved.
    moved = text.replace("[environments.production]", '[environments.production]\nalias = "live"')
    file.write_text(moved)
    harbour.inside.shop = Workshop(harbour.inside.shop.settings, server.load(file))
    assert other().state is State.SUCCEEDED
